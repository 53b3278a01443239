/**
 * Writes a suspended PV domain down as Xen's tools do (docs/specs/libxc-migration-stream, x86 PV guest): pages with what they
 * are, shared_info, the vCPU. Ports, grants and timers are not saved: a guest makes them anew.
 */
import { UserError } from '../../errors.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import { RDX } from '../../x86/registers.ts';
import type { FrameTable } from '../frames.ts';
import type { Mmu } from '../mmu/mmu.ts';
import { levelOf } from '../mmu/page-types.ts';
import type { PvCpu } from '../pv-cpu.ts';
import { type ListedFrames, listedFrames } from './frame-list.ts';
import { hasBytes, kindOf, pageAt, pageKinds, renumbered } from './saved-pages.ts';
import { closing, openingOf, recordOf, recordTypes } from './stream.ts';
import { saveVcpu } from './vcpu-image.ts';

export interface SavedDomainParts {
  readonly id: number;
  readonly name: string;
  readonly commandLine: string;
  readonly table: FrameTable;
  readonly mmu: Mmu;
  readonly pv: PvCpu;
  readonly sharedInfo: number;
  /** Of system time, in nanoseconds. */
  readonly now: bigint;
}

/** Pages of one record. */
const pagesPerRecord = 1024;
const kibPerPage = pageSize / 1024;
/** Nanoseconds, as here. */
const counterKhz = 1_000_000;
/** TSC_MODE_DEFAULT of xen-foreign/tsc. */
const defaultCounter = 0;

/** Piece by piece. All that can be refused is refused before the first piece; the domain may not run meanwhile. */
export function saveDomain(parts: SavedDomainParts): Iterable<Uint8Array> {
  const { table, id, pv, sharedInfo } = parts;
  const { width } = pv;
  const list = listedFrames({ table, domain: id, width, sharedInfo: hostOf(table, sharedInfo) });
  const vcpu = vcpuRecord(parts);
  checkTables(parts, list);
  return pieces(parts, list, vcpu);
}

const hostOf = (table: FrameTable, frame: number): number => table.hostOf(frame) ?? 0;

function* pieces(
  parts: SavedDomainParts,
  list: ListedFrames,
  vcpu: Uint8Array,
): Generator<Uint8Array> {
  const { table, pv, sharedInfo, now } = parts;
  const record = (type: number, body: Uint8Array): Uint8Array => recordOf({ type, body });
  yield* openingOf(configurationOf(parts, list));
  yield record(
    recordTypes.X86_PV_INFO,
    Uint8Array.of(pv.width / 8, pv.width === 64 ? 4 : 3, 0, 0, 0, 0, 0, 0),
  );
  yield record(recordTypes.STATIC_DATA_END, new Uint8Array());
  yield record(recordTypes.X86_PV_P2M_FRAMES, listBody(parts, list));
  for (let at = 0; at < list.frames.length; at += pagesPerRecord)
    yield record(recordTypes.PAGE_DATA, pagesBody(parts, list, at));
  yield record(recordTypes.X86_TSC_INFO, counterBody(now));
  yield record(recordTypes.SHARED_INFO, pageAt(table, sharedInfo).slice());
  yield record(recordTypes.X86_PV_VCPU_BASIC, vcpu);
  yield record(recordTypes.END, new Uint8Array());
  yield closing();
}

/** As libxl writes it, of which it takes what it finds. */
function configurationOf(
  { name, commandLine }: SavedDomainParts,
  { frames }: ListedFrames,
): string {
  const kib = frames.length * kibPerPage;
  return JSON.stringify({
    c_info: { type: 'pv', name },
    b_info: {
      ...{ max_vcpus: 1, avail_vcpus: [0], max_memkb: kib, target_memkb: kib },
      cmdline: commandLine,
      'type.pv': {},
    },
  });
}

const physicalOf = ({ table, id, pv }: SavedDomainParts, list: ListedFrames, frame: number) => {
  if (table.ownerOf(frame) !== id) return undefined;
  const pfn = Number(table.pseudoPhysicalOf(frame, pv.width));
  return list.frames[pfn] === frame ? pfn : undefined;
};

function checkTables(parts: SavedDomainParts, list: ListedFrames): void {
  list.frames.forEach((frame, pfn) => {
    if (frame !== undefined && kindOf(parts.table, frame) !== pageKinds.normal)
      pageOf(parts, list, pfn, frame);
  });
}

function pageOf(
  parts: SavedDomainParts,
  list: ListedFrames,
  pfn: number,
  frame: number,
): Uint8Array {
  const { table, mmu } = parts;
  const bytes = pageAt(table, frame);
  const isTable = kindOf(table, frame) !== pageKinds.normal;
  if (!isTable) return bytes;
  const type = table.typeOf(frame);
  const numberOf = (other: number) => physicalOf(parts, list, other);
  const name = `the level-${levelOf(type)} table in page ${pfn}`;
  return renumbered(bytes, type, { types: mmu.types, numberOf }, name);
}

function pagesBody(parts: SavedDomainParts, list: ListedFrames, from: number): Uint8Array {
  const frames = list.frames.slice(from, from + pagesPerRecord);
  const count = frames.filter((frame) => frame !== undefined).length;
  const body = new Uint8Array(8 + 8 * frames.length + pageSize * count);
  const view = new DataView(body.buffer);
  view.setUint32(0, frames.length, true);
  let at = 8 + 8 * frames.length;
  frames.forEach((frame, i) => {
    const kind = frame === undefined ? pageKinds.none : kindOf(parts.table, frame);
    view.setBigUint64(8 + 8 * i, (BigInt(kind) << 60n) | BigInt(from + i), true);
    if (frame === undefined || !hasBytes(kind)) return;
    body.set(pageOf(parts, list, from + i, frame), at);
    at += pageSize;
  });
  return body;
}

function listBody(parts: SavedDomainParts, list: ListedFrames): Uint8Array {
  const body = new Uint8Array(8 + 8 * list.list.length);
  const view = new DataView(body.buffer);
  view.setUint32(4, list.frames.length - 1, true);
  list.list.forEach((frame, i) => {
    const pfn = physicalOf(parts, list, frame);
    if (pfn === undefined)
      throw new UserError('the guest’s list of frames is not in its own memory');
    view.setBigUint64(8 + 8 * i, BigInt(pfn), true);
  });
  return body;
}

function counterBody(now: bigint): Uint8Array {
  const body = new Uint8Array(24);
  const view = new DataView(body.buffer);
  view.setUint32(0, defaultCounter, true);
  view.setUint32(4, counterKhz, true);
  view.setBigUint64(8, now, true);
  return body;
}

function vcpuRecord(parts: SavedDomainParts): Uint8Array {
  const { pv, table, id } = parts;
  const named = (what: string, frame: number): number => {
    if (table.ownerOf(frame) !== id)
      throw new UserError(`${what}, frame 0x${frame.toString(16)}, is not the domain’s memory`);
    return Number(table.pseudoPhysicalOf(frame, pv.width));
  };
  const startInfo = Number(BigInt.asUintN(52, pv.cpu.register(RDX)));
  const context = saveVcpu(pv, {
    kernelRoot: named('its page table', pv.roots.kernel),
    userRoot: pv.roots.user === 0 ? 0 : named('its programs’ page table', pv.roots.user),
    gdt: pv.gdt.frames.map((frame) => named('a frame of its descriptors', frame)),
    startInfo: named('the start info that it names', startInfo),
  });
  const body = new Uint8Array(8 + context.length);
  body.set(context, 8);
  return body;
}
