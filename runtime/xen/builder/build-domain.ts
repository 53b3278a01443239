/** Makes a domain of an image: frames of its own, everything in its place in them, and what its vCPU begins with. */
import {
  MAX_GUEST_CMDLINE,
  SIF,
  shared_info,
  start_info,
  vcpu_info,
  XEN_LEGACY_MAX_VCPUS,
} from '../../abi/xen.ts';
import { UserError } from '../../errors.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import type { FrameTable } from '../frames.ts';
import { type AddressPlan, planAddresses } from './address-plan.ts';
import type { DomainImage } from './domain-image.ts';
import { hypercallPage } from './hypercall-page.ts';
import { writeTables } from './initial-tables.ts';

export interface BuildOptions {
  readonly id: number;
  /** In bytes. */
  readonly memory: number;
  readonly commandLine: string;
  readonly ramdisk?: Uint8Array | undefined;
  /** Event channels of xenstore and console. */
  readonly ports: { readonly xenstore: number; readonly console: number };
}

export interface BuiltDomain {
  readonly plan: AddressPlan;
  /** Machine frame of each pseudo-physical one. */
  readonly frames: readonly number[];
  /** Machine frame of the topmost page table; not yet validated. */
  readonly root: number;
  readonly sharedInfo: number;
  readonly xenstore: number;
  readonly console: number;
  readonly entry: bigint;
  readonly stackPointer: bigint;
  /** What rsi is at the start. */
  readonly startInfo: bigint;
}

const page = BigInt(pageSize);
const magics = { 64: 'xen-3.0-x86_64', 32: 'xen-3.0-x86_32p' } as const;

export function buildDomain(
  domain: DomainImage,
  table: FrameTable,
  options: BuildOptions,
): BuiltDomain {
  const plan = planAddresses(domain, options.memory, options.ramdisk);
  const { base } = domain;
  table.m2p(domain.width);
  const first = table.allocate(options.id, plan.pages);
  const frames = Array.from({ length: plan.pages }, (_, pfn) => first + pfn);
  const at = (pfn: number): bigint => base + BigInt(pfn) * page;
  const built: BuiltDomain = {
    ...{ plan, frames, entry: domain.entry },
    root: machineFrame(frames, plan.tables[0]?.pfn ?? 0),
    sharedInfo: allocateSharedInfo(domain, table, options.id),
    xenstore: machineFrame(frames, plan.xenstore),
    console: machineFrame(frames, plan.console),
    stackPointer: at(plan.stack + 1),
    startInfo: at(plan.startInfo),
  };
  const writer = new FrameWriter(table, frames);
  frames.forEach((frame, pfn) => {
    table.setPseudoPhysical(frame, BigInt(pfn));
  });
  loadImage(domain, writer);
  if (plan.ramdisk) writer.write(plan.ramdisk.pfn * pageSize, plan.ramdisk.bytes);
  writeP2m(plan, frames, writer);
  writeTables(plan, (tableFrame, index, target, flags) =>
    writer.writeEntry(tableFrame, index, machineFrame(frames, target), flags),
  );
  writer.write(plan.startInfo * pageSize, startInfo(built, options));
  return built;
}

const machineFrame = (frames: readonly number[], pfn: number): number => {
  const frame = frames[pfn];
  if (frame === undefined) throw new RangeError(`no pseudo-physical frame ${pfn}`);
  return frame;
};

/** Bytes at pseudo-physical addresses, wherever their frames lie. */
class FrameWriter {
  readonly #table: FrameTable;
  readonly #frames: readonly number[];

  constructor(table: FrameTable, frames: readonly number[]) {
    this.#table = table;
    this.#frames = frames;
  }

  write(physical: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const [pfn, offset] = [Math.floor((physical + at) / pageSize), (physical + at) % pageSize];
      const size = Math.min(pageSize - offset, bytes.length - at);
      const host = this.#hostOf(machineFrame(this.#frames, pfn));
      this.#table.memory.bytes().set(bytes.subarray(at, at + size), host + offset);
      at += size;
    }
  }

  writeEntry(pfn: number, index: number, target: number, flags: number): void {
    const at = this.#hostOf(machineFrame(this.#frames, pfn)) + 8 * index;
    const entry = (BigInt(target) << 12n) | BigInt(flags);
    this.#table.memory.view().setBigUint64(at, entry, true);
  }

  #hostOf(frame: number): number {
    const host = this.#table.hostOf(frame);
    if (host === undefined) throw new RangeError(`no machine frame ${frame}`);
    return host;
  }
}

/** Xen's own page, which the guest may map and write. */
function allocateSharedInfo({ width }: DomainImage, table: FrameTable, id: number): number {
  const frame = table.allocateShared(id);
  const host = table.hostOf(frame) ?? 0;
  const mask = vcpu_info.layout(width).offsets.evtchn_upcall_mask;
  const { offsets } = shared_info.layout(width);
  const size = vcpu_info.size(width);
  for (let vcpu = 0; vcpu < XEN_LEGACY_MAX_VCPUS; vcpu++)
    table.memory.bytes()[host + offsets.vcpu_info + vcpu * size + mask] = 1;
  return frame;
}

function loadImage(domain: DomainImage, writer: FrameWriter): void {
  const { image, base, offset, hypercallPage: at, width } = domain;
  const physical = (address: bigint): number => Number(BigInt.asUintN(width, address) - base);
  for (const segment of image.segments)
    writer.write(physical(segment.physical + offset), segment.bytes);
  if (at !== undefined) writer.write(physical(at), hypercallPage(width));
}

function writeP2m({ domain, p2m }: AddressPlan, frames: readonly number[], to: FrameWriter): void {
  const bytes = new Uint8Array(p2m.pages * pageSize).fill(0xff);
  const view = new DataView(bytes.buffer);
  frames.forEach((frame, pfn) => {
    if (domain.width === 64) view.setBigUint64(8 * pfn, BigInt(frame), true);
    else view.setUint32(4 * pfn, frame, true);
  });
  to.write(p2m.pfn * pageSize, bytes);
}

function startInfo(built: BuiltDomain, { commandLine, ports }: BuildOptions): Uint8Array {
  const { plan } = built;
  const { base, width } = plan.domain;
  const { size, at } = start_info.layout(width);
  const bytes = new Uint8Array(size);
  const info = at(bytes, 0);
  const text = new TextEncoder();
  info.magic = [...text.encode(magics[width])];
  info.nr_pages = BigInt(plan.pages);
  info.shared_info = BigInt(built.sharedInfo) << 12n;
  info.store_mfn = BigInt(built.xenstore);
  info.store_evtchn = ports.xenstore;
  info.console.mfn = BigInt(built.console);
  info.console.evtchn = ports.console;
  info.pt_base = base + BigInt(plan.tables[0]?.pfn ?? 0) * page;
  info.nr_pt_frames = BigInt(plan.tableFrames);
  info.mfn_list = plan.p2m.address;
  if (plan.p2mTables.length > 0) {
    info.first_p2m_pfn = BigInt(plan.p2m.pfn);
    const tables = plan.p2mTables.reduce((sum, { count }) => sum + count, 0);
    info.nr_p2m_frames = BigInt(plan.p2m.pages + tables);
  }
  const isUnmapped = plan.domain.takesUnmappedRamdisk;
  if (plan.ramdisk) {
    const { pfn, bytes: content } = plan.ramdisk;
    info.mod_start = isUnmapped ? BigInt(pfn) : base + BigInt(pfn) * page;
    info.mod_len = BigInt(content.length);
  }
  // Not VIRT_P2M_4TOOLS: libxc would set it, and libxl takes it away again.
  info.flags = plan.ramdisk && isUnmapped ? SIF.MOD_START_PFN : 0;
  const line = text.encode(commandLine);
  if (line.length >= MAX_GUEST_CMDLINE)
    throw new UserError(
      `the command line has ${line.length} bytes; a guest takes at most ${MAX_GUEST_CMDLINE - 1}`,
    );
  info.cmd_line = [...line];
  return bytes;
}
