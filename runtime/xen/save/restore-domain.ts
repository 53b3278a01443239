/**
 * Makes a domain of a saved one, in frames of its own, as Xen's tools do: page tables and lists get the new frames' numbers,
 * start_info the new pages and ports, shared_info keeps what describes the guest, and no event is pending.
 */
import { shared_info, start_info, vcpu_info, XEN_LEGACY_MAX_VCPUS } from '../../abi/xen.ts';
import { UserError, XenError } from '../../errors.ts';
import type { Width } from '../../memory/layout.ts';
import { mostGuestBytes, pageSize } from '../../memory/machine-memory.ts';
import type { FrameTable, FrameType } from '../frames.ts';
import { frameTypes } from '../frames.ts';
import type { Mmu } from '../mmu/mmu.ts';
import type { PvCpu } from '../pv-cpu.ts';
import { hasBytes, pageAt, pageKinds, renumbered, typeOfKind } from './saved-pages.ts';
import { readSaved, recordTypes, type SavedRecord } from './stream.ts';
import { readFrames, restoreVcpu, vcpuImageBytes } from './vcpu-image.ts';

export interface SavedImage {
  readonly name: string;
  readonly commandLine: string;
  readonly width: Width;
  /** Pseudo-physical frames. */
  readonly pages: number;
  readonly records: readonly SavedRecord[];
}

export interface RestoredFrames {
  readonly frames: readonly number[];
  readonly sharedInfo: number;
  readonly xenstore: number;
  readonly console: number;
  /** Machine frame of start_info. */
  readonly startInfo: number;
}

const pageBits = (1n << 52n) - 1n;

/** What the file says is checked here, but for what page tables may have in them. */
export function readSavedDomain(bytes: Uint8Array, file: string): SavedImage {
  const { configuration, records } = readSaved(bytes, file);
  const info = only(records, recordTypes.X86_PV_INFO, 8, file);
  const width = info.body[0] === 8 ? 64 : 32;
  if (info.body[0] !== width / 8 || info.body[1] !== (width === 64 ? 4 : 3))
    throw new UserError(`${file}: a domain of no width that is known`);
  const known = new Set<number>(Object.values(recordTypes));
  const other = records.find(({ type }) => !known.has(type));
  if (other !== undefined) throw new UserError(`${file}: record ${other.type} is not known here`);
  const list = only(records, recordTypes.X86_PV_P2M_FRAMES, 8, file).body;
  const pages = viewOf(list).getUint32(4, true) + 1;
  if (pages * pageSize > mostGuestBytes)
    throw new UserError(`${file}: a domain of ${pages} pages, more than there can be here`);
  const entries = Math.ceil(pages / ((pageSize * 8) / width));
  if (viewOf(list).getUint32(0, true) !== 0 || list.length !== 8 + 8 * entries)
    throw new UserError(`${file}: a list of frames that is not whole`);
  only(records, recordTypes.SHARED_INFO, pageSize, file);
  const vcpu = only(records, recordTypes.X86_PV_VCPU_BASIC, 8 + vcpuImageBytes(width), file);
  if (viewOf(vcpu.body).getUint32(0, true) !== 0)
    throw new UserError(`${file}: a domain of several vCPUs`);
  return { ...wordsOf(configuration), width, pages, records };
}

function only(
  records: readonly SavedRecord[],
  type: number,
  least: number,
  file: string,
): SavedRecord {
  const [found, second] = records.filter((record) => record.type === type);
  if (found === undefined || found.body.length < least)
    throw new UserError(`${file}: it has no whole record ${type}`);
  if (second !== undefined) throw new UserError(`${file}: more than one record ${type}`);
  return found;
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/** libxl's JSON has more, of which nothing here has a use. */
function wordsOf(configuration: string): { readonly name: string; readonly commandLine: string } {
  try {
    const all: unknown = JSON.parse(configuration);
    const text = (...path: readonly string[]): string => {
      const found = path.reduce<unknown>(
        (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
        all,
      );
      return typeof found === 'string' ? found : '';
    };
    return { name: text('c_info', 'name'), commandLine: text('b_info', 'cmdline') };
  } catch {
    return { name: '', commandLine: '' };
  }
}

const bodyOf = ({ records }: SavedImage, type: number): Uint8Array =>
  records.find((record) => record.type === type)?.body ?? new Uint8Array();

/** Frames with what was in them; none of them is a page table yet. */
export class RestoredMemory {
  readonly #saved: SavedImage;
  readonly #table: FrameTable;
  readonly frames: readonly number[];
  readonly sharedInfo: number;
  readonly #kinds: Uint8Array;

  constructor(saved: SavedImage, table: FrameTable, id: number) {
    [this.#saved, this.#table] = [saved, table];
    table.m2p(saved.width);
    const first = table.allocate(id, saved.pages);
    this.frames = Array.from({ length: saved.pages }, (_, pfn) => first + pfn);
    this.#kinds = new Uint8Array(saved.pages).fill(pageKinds.none);
    for (const { type, body } of saved.records)
      if (type === recordTypes.PAGE_DATA) this.#takePages(body);
    this.frames.forEach((frame, pfn) => {
      if (this.#kinds[pfn] === pageKinds.none) table.giveUp(frame);
      else table.setPseudoPhysical(frame, BigInt(pfn));
    });
    this.sharedInfo = table.allocateShared(id);
    this.#restoreSharedInfo();
    this.#writeList();
  }

  get context(): Uint8Array {
    return bodyOf(this.#saved, recordTypes.X86_PV_VCPU_BASIC).subarray(8);
  }

  /** Machine frame of a page that is there and of an ordinary kind. */
  #ordinary(what: string, pfn: number): number {
    if (this.#kinds[pfn] !== pageKinds.normal) throw refused(`${what} is in page ${pfn}`);
    return this.frames[pfn] ?? 0;
  }

  #takePages(body: Uint8Array): void {
    const view = viewOf(body);
    const count = body.length < 8 ? 0 : view.getUint32(0, true);
    if (body.length < 8 + 8 * count) throw refused('pages that are not all there');
    let at = 8 + 8 * count;
    for (let i = 0; i < count; i++) {
      const word = view.getBigUint64(8 + 8 * i, true);
      const [kind, pfn] = [Number(word >> 60n), Number(word & pageBits)];
      const frame = this.frames[pfn];
      if (frame === undefined) throw refused(`page ${pfn} of ${this.frames.length}`);
      this.#kinds[pfn] = kind === pageKinds.allocated ? pageKinds.normal : kind;
      if (!hasBytes(kind)) continue;
      const bytes = body.subarray(at, at + pageSize);
      if (bytes.length !== pageSize) throw refused(`page ${pfn} is not whole`);
      pageAt(this.#table, frame).set(bytes);
      at += pageSize;
    }
  }

  #restoreSharedInfo(): void {
    const { width } = this.#saved;
    const { offsets } = shared_info.layout(width);
    const old = bodyOf(this.#saved, recordTypes.SHARED_INFO);
    const own = pageAt(this.#table, this.sharedInfo);
    const keep = (from: number, to: number): void => own.set(old.subarray(from, to), from);
    keep(offsets.vcpu_info, offsets.evtchn_pending);
    keep(offsets.arch, shared_info.size(width));
    own.fill(0xff, offsets.evtchn_mask, offsets.wc_version);
    const info = vcpu_info.layout(width);
    for (let vcpu = 0; vcpu < XEN_LEGACY_MAX_VCPUS; vcpu++) {
      const at = offsets.vcpu_info + vcpu * info.size + info.offsets.evtchn_pending_sel;
      own.fill(0, at, at + width / 8);
    }
    shared_info.layout(width).at(own, 0).arch.pfn_to_mfn_frame_list_list = 0n;
  }

  #writeList(): void {
    const { width, pages } = this.#saved;
    const perPage = (pageSize * 8) / width;
    const list = viewOf(bodyOf(this.#saved, recordTypes.X86_PV_P2M_FRAMES));
    const missing = (1n << BigInt(width)) - 1n;
    for (let pfn = 0; pfn < pages; pfn++) {
      const page = Number(list.getBigUint64(8 + 8 * Math.floor(pfn / perPage), true));
      const view = viewOf(pageAt(this.#table, this.#ordinary('its list of frames', page)));
      const isThere = this.#kinds[pfn] !== pageKinds.none;
      const frame = isThere ? BigInt(this.frames[pfn] ?? 0) : missing;
      if (width === 64) view.setBigUint64(8 * (pfn % perPage), frame, true);
      else view.setUint32(4 * (pfn % perPage), Number(frame), true);
    }
  }

  /** start_info as the new domain's: where its pages are, and which ports it has. */
  writeStartInfo(ports: { readonly xenstore: number; readonly console: number }): RestoredFrames {
    const { width, pages } = this.#saved;
    const { startInfo: pfn } = readFrames(this.context, width);
    const startInfo = this.#ordinary('its start info', pfn);
    const info = start_info.layout(width).at(pageAt(this.#table, startInfo), 0);
    const xenstore = this.#ordinary('the store’s ring', Number(info.store_mfn));
    const console = this.#ordinary('the console’s ring', Number(info.console.mfn));
    [info.store_mfn, info.store_evtchn] = [BigInt(xenstore), ports.xenstore];
    [info.console.mfn, info.console.evtchn] = [BigInt(console), ports.console];
    info.nr_pages = BigInt(pages);
    info.shared_info = BigInt(this.sharedInfo) << 12n;
    info.flags = 0;
    return { frames: this.frames, sharedInfo: this.sharedInfo, xenstore, console, startInfo };
  }

  /** Machine frame of the topmost page table. */
  get root(): number {
    return this.frames[readFrames(this.context, this.#saved.width).kernelRoot] ?? 0;
  }

  /** Page tables become what they were, each entry checked, and the vCPU what it was. */
  restoreVcpu(mmu: Mmu, pv: PvCpu, startInfo: number): void {
    const tables = this.#tables();
    for (const { frame, type, pfn } of tables) {
      const numberOf = (other: number) =>
        this.#kinds[other] === pageKinds.none ? undefined : this.frames[other];
      const name = `the table in page ${pfn}`;
      const page = pageAt(this.#table, frame);
      page.set(renumbered(page, type, { types: mmu.types, numberOf }, name));
    }
    orRefused(() => {
      for (const { frame, type, isPinned } of tables) if (isPinned) mmu.pin(frame, type);
      this.#enter(mmu, pv);
    });
    restoreVcpu(pv, this.context, startInfo);
  }

  #enter(mmu: Mmu, pv: PvCpu): void {
    const { width } = this.#saved;
    const { kernelRoot, userRoot, gdt, gdtEntries } = readFrames(this.context, width);
    mmu.resume(this.#tableOf(kernelRoot), userRoot === 0 ? 0 : this.#tableOf(userRoot));
    const frames = gdt.map((pfn) => this.#ordinary('a page of its descriptors', pfn));
    for (const frame of frames) mmu.types.getType(frame, frameTypes.descriptors);
    pv.gdt = { frames, entries: gdtEntries };
  }

  #tableOf(pfn: number): number {
    const type = typeOfKind(this.#kinds[pfn] ?? 0, this.#saved.width);
    const isTop = type === (this.#saved.width === 64 ? frameTypes.l4 : frameTypes.l3);
    if (!isTop) throw refused(`page ${pfn} is no topmost page table`);
    return this.frames[pfn] ?? 0;
  }

  #tables(): { frame: number; pfn: number; type: FrameType; isPinned: boolean }[] {
    return this.frames.flatMap((frame, pfn) => {
      const kind = this.#kinds[pfn] ?? pageKinds.none;
      const type = hasBytes(kind) ? typeOfKind(kind, this.#saved.width) : undefined;
      const isPinned = (kind & pageKinds.pinned) !== 0;
      return type === undefined ? [] : [{ frame, pfn, type, isPinned }];
    });
  }
}

/** What Xen would refuse its tools. */
function orRefused(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof XenError)) throw error;
    throw refused(error.message);
  }
}

const refused = (what: string): UserError =>
  new UserError(`a saved domain that is not right: ${what}`);
