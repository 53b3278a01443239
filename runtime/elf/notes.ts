/**
 * What an image tells Xen about itself: ELF notes of owner `Xen` (xen/include/public/elfnote.h), or the older
 * `__xen_guest` section of KEY=VALUE pairs, brought into the notes' shape. Read leniently, as Xen does: a last note may
 * run past its segment, whose p_memsz may be 0.
 */
import { hex, type ImageFile, viewBytes, type Width } from './image-file.ts';
import { type Section, SHT, sectionNamed, sectionPart } from './sections.ts';
import { type ProgramHeader, PT } from './segments.ts';

export interface XenNote {
  /** XEN_ELFNOTE_… without its prefix, or `type 99`. */
  readonly name: string;
  /** A string, a number, a list of numbers (L1_MFN_VALID, PHYS32_RELOC), or hexadecimal bytes where nothing is known. */
  readonly value: string | bigint | readonly bigint[];
}

export interface XenNotes {
  readonly notes: readonly XenNote[];
  /** They stand in a `__xen_guest` section, as those of images from before ELF notes do. */
  readonly isLegacy: boolean;
}

type Form = 'text' | 'number' | 'words' | 'bytes';

// biome-ignore format: a line for each line of elfnote.h
const noteTypes: readonly (readonly [name: string, form: Form])[] = [
  ['INFO', 'bytes'],
  ['ENTRY', 'number'],
  ['HYPERCALL_PAGE', 'number'],
  ['VIRT_BASE', 'number'],
  ['PADDR_OFFSET', 'number'],
  ['XEN_VERSION', 'text'],
  ['GUEST_OS', 'text'],
  ['GUEST_VERSION', 'text'],
  ['LOADER', 'text'],
  ['PAE_MODE', 'text'],
  ['FEATURES', 'text'],
  ['BSD_SYMTAB', 'text'],
  ['HV_START_LOW', 'number'],
  ['L1_MFN_VALID', 'words'], // mask and value
  ['SUSPEND_CANCEL', 'number'],
  ['INIT_P2M', 'number'],
  ['MOD_START_PFN', 'number'],
  ['SUPPORTED_FEATURES', 'number'],
  ['PHYS32_ENTRY', 'number'],
  ['PHYS32_RELOC', 'words'], // alignment, highest and lowest address
];

/** The keys of `__xen_guest`, by elfnote.h's `LEGACY:` lines. */
const legacyKeys: Readonly<Record<string, { readonly name: string; readonly form: Form }>> = {
  GUEST_OS: { name: 'GUEST_OS', form: 'text' },
  GUEST_VER: { name: 'GUEST_VERSION', form: 'text' },
  XEN_VER: { name: 'XEN_VERSION', form: 'text' },
  VIRT_BASE: { name: 'VIRT_BASE', form: 'number' },
  VIRT_ENTRY: { name: 'ENTRY', form: 'number' },
  ELF_PADDR_OFFSET: { name: 'PADDR_OFFSET', form: 'number' },
  HYPERCALL_PAGE: { name: 'HYPERCALL_PAGE', form: 'number' },
  PAE: { name: 'PAE_MODE', form: 'text' },
  LOADER: { name: 'LOADER', form: 'text' },
  FEATURES: { name: 'FEATURES', form: 'text' },
  BSD_SYMTAB: { name: 'BSD_SYMTAB', form: 'text' },
};

/** Bounds that no real image comes near; they keep a hostile one from making us allocate. */
const MOST_NOTES = 1024;
const LONGEST_NOTE = 4096;

/** PT_NOTE segments if they hold Xen notes, else SHT_NOTE sections, else `__xen_guest`. */
export function readNotes(
  file: ImageFile,
  width: Width,
  headers: readonly ProgramHeader[],
  sections: readonly Section[],
  sectionNames: number,
): XenNotes {
  const areas = headers
    .filter(({ type }) => type === PT.NOTE)
    .map(({ index, offset, fileSize }) => ({ what: `note segment ${index}`, offset, fileSize }));
  const fromSegments = notesOf(file, width, areas);
  if (fromSegments.length > 0) return { notes: fromSegments, isLegacy: false };

  const noteSections = sections
    .filter(({ type }) => type === SHT.NOTE)
    .map(({ index, offset, size }) => ({ what: `note section ${index}`, offset, fileSize: size }));
  const fromSections = notesOf(file, width, noteSections);
  if (fromSections.length > 0) return { notes: fromSections, isLegacy: false };

  const legacy = sectionNamed(file, sections, sectionNames, '__xen_guest');
  if (legacy === undefined) return { notes: [], isLegacy: false };
  return { notes: guestInfo(file, sectionPart(file, legacy, '__xen_guest')), isLegacy: true };
}

interface Area {
  readonly what: string;
  readonly offset: bigint;
  readonly fileSize: bigint;
}

function notesOf(file: ImageFile, width: Width, areas: readonly Area[]): XenNote[] {
  const budget = { left: MOST_NOTES };
  return areas.flatMap((area) => areaNotes(file, width, area, budget));
}

function areaNotes(
  file: ImageFile,
  width: Width,
  { what, offset, fileSize }: Area,
  budget: { left: number },
): XenNote[] {
  file.part(what, offset, fileSize);
  const notes: XenNote[] = [];
  const end = Number(offset + fileSize);
  let at = Number(offset);
  while (at + 12 <= end) {
    if (budget.left-- === 0) file.fail(`it has more than ${MOST_NOTES} notes`);
    const head = file.part(`a note of ${what}`, at, 12);
    const [nameSize, size] = [head.getUint32(0, true), head.getUint32(4, true)];
    const value = at + 12 + align(nameSize);
    const owner = file.part(`the owner of a note of ${what}`, at + 12, nameSize);
    // The last note of GRUB's 32-bit images says that it is longer than what is left of the file.
    const left = file.size - value;
    const held =
      left > 0 && at + 12 + align(nameSize) + align(size) >= end ? Math.min(size, left) : size;
    const description = file.part(`the value of a note of ${what}`, value, held);
    if (size <= LONGEST_NOTE && isXen(owner)) {
      notes.push(note(head.getUint32(8, true), viewBytes(description), width));
    } else if (isXen(owner)) {
      file.fail(
        `a Xen note at ${hex(at)} is ${hex(size)} bytes long; at most ${LONGEST_NOTE} are read`,
      );
    }
    at = value + align(size);
  }
  return notes;
}

const align = (size: number): number => Math.ceil(size / 4) * 4;

function isXen(owner: DataView): boolean {
  return owner.byteLength <= 8 && text(viewBytes(owner)) === 'Xen';
}

/** Up to the NUL. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...(end === -1 ? bytes : bytes.subarray(0, end)));
}

function note(type: number, value: Uint8Array, width: Width): XenNote {
  const [name, form] = noteTypes[type] ?? ([`type ${type}`, 'bytes'] as const);
  return { name, value: readers[form](value, width) };
}

const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

const hexBytes = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

const readers: Readonly<Record<Form, (bytes: Uint8Array, width: Width) => XenNote['value']>> = {
  text,
  // Some 64-bit images write 4 bytes where others write 8; Xen takes either.
  number: (bytes) => (bytes.byteLength <= 8 ? littleEndian(bytes) : hexBytes(bytes)),
  // PHYS32_RELOC has up to three 32-bit words; L1_MFN_VALID two of 32 or 64 bits.
  words(bytes) {
    const size = bytes.byteLength === 16 ? 8 : 4;
    return Array.from({ length: Math.floor(bytes.byteLength / size) }, (_, index) =>
      littleEndian(bytes.subarray(index * size, (index + 1) * size)),
    );
  },
  bytes: hexBytes,
};

/** `KEY=VALUE,KEY=VALUE`, ended by a NUL; a key may stand alone. */
function guestInfo(file: ImageFile, view: DataView): XenNote[] {
  if (view.byteLength > LONGEST_NOTE)
    file.fail(
      `__xen_guest is ${hex(view.byteLength)} bytes long; at most ${LONGEST_NOTE} are read`,
    );
  const pairs = text(viewBytes(view))
    .split(',')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      return equals === -1 ? [pair, 'yes'] : [pair.slice(0, equals), pair.slice(equals + 1)];
    });
  const base = number(file, 'VIRT_BASE', pairs.find(([key]) => key === 'VIRT_BASE')?.[1] ?? '0');
  return pairs.map(([key = '', value = '']) => {
    const { name, form } = legacyKeys[key] ?? { name: key, form: 'text' };
    if (form === 'text') return { name, value };
    const parsed = number(file, key, value);
    // The old value is the number of a page of the image, the note's an address.
    return { name, value: key === 'HYPERCALL_PAGE' ? base + (parsed << 12n) : parsed };
  });
}

function number(file: ImageFile, key: string, value: string): bigint {
  if (!/^(0x[0-9a-f]{1,16}|[0-9]{1,20})$/i.test(value))
    file.fail(`__xen_guest: ${key}=${value.slice(0, 32)} is not a number`);
  return BigInt(value);
}
