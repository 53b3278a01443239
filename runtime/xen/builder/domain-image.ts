/**
 * What Xen's tools make of an image's notes (xen/include/public/elfnote.h): where it wants to lie, what it finds at its start.
 * Notes that contradict each other, or ask for what no Xen gives, are told to the person before anything runs.
 */
import { HYPERVISOR_VIRT_END, HYPERVISOR_VIRT_START } from '../../abi/xen.ts';
import type { ElfImage, Width, XenNote } from '../../elf/image.ts';
import { UserError } from '../../errors.ts';

export interface DomainImage {
  readonly image: ElfImage;
  readonly width: Width;
  /** The address of pseudo-physical frame 0. */
  readonly base: bigint;
  readonly entry: bigint;
  /** Addresses of the first byte and behind the last byte of what is loaded. */
  readonly start: bigint;
  readonly end: bigint;
  /** Address less p_paddr. */
  readonly offset: bigint;
  readonly hypercallPage: bigint | undefined;
  /** INIT_P2M: where the guest wants its list of frames. */
  readonly p2m: bigint | undefined;
  /** MOD_START_PFN: a ramdisk need not be mapped; start_info has its frame. */
  readonly takesUnmappedRamdisk: boolean;
  /** The page tables are laid out as builders of Xen 4.5 and before did. */
  readonly hasOldTables: boolean;
}

/** Features that a guest may insist on (features.h) and has here. */
const provided: ReadonlySet<string> = new Set(['pae_pgdir_above_4gb', 'supervisor_mode_kernel']);
const known: ReadonlySet<string> = new Set([
  ...provided,
  'writable_page_tables',
  'writable_descriptor_tables',
  'auto_translated_physmap',
  'dom0',
  'hvm_callback_vector',
]);

export function domainImage(image: ElfImage): DomainImage {
  const { width, segments } = image;
  checkRepeated(image);
  checkTexts(image);
  const base = number(image, 'VIRT_BASE') ?? 0n;
  // Images from before notes have p_paddr = VIRT_BASE + offset.
  const paddrOffset = number(image, 'PADDR_OFFSET') ?? (image.hasLegacyNotes ? base : 0n);
  const offset = BigInt.asIntN(64, base - paddrOffset);
  const address = (physical: bigint): bigint => BigInt.asUintN(width, physical + offset);
  const starts = segments.map(({ physical }) => address(physical));
  const ends = segments.map(({ physical, memorySize }) => address(physical) + memorySize);
  const start = starts.reduce(smaller);
  const end = ends.reduce(larger);
  const described: DomainImage = {
    ...{ image, width, base, offset, start, end, entry: image.entry },
    hypercallPage: number(image, 'HYPERCALL_PAGE'),
    // Xen's tools honour it for 64-bit guests alone.
    p2m: width === 64 ? number(image, 'INIT_P2M') : undefined,
    takesUnmappedRamdisk: (number(image, 'MOD_START_PFN') ?? 0n) !== 0n,
    hasOldTables: image.hasLegacyNotes,
  };
  checkPlace(described);
  return described;
}

const fail = (image: ElfImage, message: string): never => {
  throw new UserError(`${image.name}: ${message}`);
};

const smaller = (a: bigint, b: bigint): bigint => {
  return a < b ? a : b;
};
const larger = (a: bigint, b: bigint): bigint => {
  return a < b ? b : a;
};

const hex = (value: bigint): string => `0x${value.toString(16)}`;

const notesNamed = ({ notes }: ElfImage, name: string): XenNote[] =>
  notes.filter((note) => note.name === name);

function number(image: ElfImage, name: string): bigint | undefined {
  const value = notesNamed(image, name).at(-1)?.value;
  if (value === undefined || typeof value === 'bigint') return value;
  return fail(image, `its note ${name} is no number of at most 8 bytes`);
}

const text = (image: ElfImage, name: string): string | undefined => {
  const value = notesNamed(image, name).at(-1)?.value;
  return typeof value === 'string' ? value : undefined;
};

/** The same note twice, and not the same value: nobody can tell which is meant. */
function checkRepeated(image: ElfImage): void {
  for (const { name, value } of image.notes) {
    const first = image.notes.find((note) => note.name === name)?.value;
    if (typeof value === 'bigint' && typeof first === 'bigint' && value !== first)
      fail(image, `its notes contradict each other: ${name} is ${hex(first)} and ${hex(value)}`);
    if (typeof value === 'string' && typeof first === 'string' && value !== first)
      fail(image, `its notes contradict each other: ${name} is '${first}' and '${value}'`);
  }
}

function checkTexts(image: ElfImage): void {
  const loader = text(image, 'LOADER') ?? 'generic';
  if (loader !== 'generic') fail(image, `it wants the loader '${loader}'; 'generic' is there`);
  const version = text(image, 'XEN_VERSION') ?? 'xen-3.0';
  if (version !== 'xen-3.0')
    fail(image, `it is made for Xen's interface '${version}'; 'xen-3.0' is there`);
  const pae = text(image, 'PAE_MODE') ?? 'yes';
  if (image.width === 32 && !/^(yes|bimodal)/.test(pae))
    fail(image, `it wants page tables without PAE (PAE_MODE=${pae}), which no Xen of today has`);
  for (const feature of (text(image, 'FEATURES') ?? '').split('|')) checkFeature(image, feature);
}

/** `!feature`: it does not run without; `feature`: it would use it. */
function checkFeature(image: ElfImage, feature: string): void {
  if (!feature.startsWith('!')) return;
  const name = feature.slice(1);
  // That its page tables may be writable: a guest that insists says that it copes where they are not.
  if (name === 'writable_page_tables' || provided.has(name)) return;
  fail(
    image,
    known.has(name)
      ? `it needs Xen's feature ${name}, which a PV domain does not have`
      : `it needs Xen's feature '${name}', which is unknown`,
  );
}

/** Whether a guest may have addresses from the first up to, and without, the last: they are the processor's, and none is Xen's. */
export function isGuestRange(width: Width, from: bigint, to: bigint): boolean {
  const isLow = to <= (width === 64 ? 1n << 47n : HYPERVISOR_VIRT_START[32]);
  const isHigh = width === 64 && from >= HYPERVISOR_VIRT_END[64] && to <= 1n << 64n;
  return isLow || isHigh;
}

/** An address that a note gives must be a page's, and one that the processor has. */
function checkAddress({ image, width }: DomainImage, name: string, address: bigint): void {
  if (address !== BigInt.asUintN(width, width === 64 ? BigInt.asIntN(48, address) : address))
    fail(image, `its ${name} ${hex(address)} is no address of x86-${width}`);
  if ((address & 0xfffn) !== 0n) fail(image, `its ${name} ${hex(address)} is no page's address`);
}

function checkPlace(described: DomainImage): void {
  const { image, width, base, start, end, entry, hypercallPage, p2m } = described;
  const [low, high] = [HYPERVISOR_VIRT_START[width], HYPERVISOR_VIRT_END[width]];
  const inHole = (from: bigint, to: bigint): boolean => from < high && to > low;
  checkAddress(described, 'VIRT_BASE', base);
  if (p2m !== undefined) checkAddress(described, 'INIT_P2M', p2m);
  if (inHole(base, base + 1n))
    fail(image, `its VIRT_BASE ${hex(base)} lies in Xen's own addresses, ${hex(low)} and up`);
  if (inHole(start, end))
    fail(image, `it would lie at ${hex(start)} to ${hex(end)}, in Xen's own addresses`);
  if (p2m !== undefined && inHole(p2m, p2m + 1n))
    fail(image, `its INIT_P2M ${hex(p2m)} lies in Xen's own addresses, ${hex(low)} and up`);
  if (start < base || end <= start)
    fail(
      image,
      `its notes contradict its segments: it begins at ${hex(start)}, below VIRT_BASE ${hex(base)}`,
    );
  if (entry < start || entry >= end)
    fail(image, `its entry point ${hex(entry)} lies outside of it, ${hex(start)} to ${hex(end)}`);
  if (p2m !== undefined && p2m >= start && p2m < end)
    fail(image, `its notes contradict each other: INIT_P2M ${hex(p2m)} lies inside of the image`);
  if (hypercallPage === undefined) return;
  if ((hypercallPage & 0xfffn) !== 0n || hypercallPage < start || hypercallPage >= end)
    fail(image, `its HYPERCALL_PAGE ${hex(hypercallPage)} is no page of the image`);
}
