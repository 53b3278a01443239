/** The ELF header (System V ABI, chapter 4): which images are for this machine, and where their tables lie. */
import { type ImageFile, type Width, word } from './image-file.ts';

export interface Header {
  readonly width: Width;
  readonly entry: bigint;
  readonly sections: SectionTable;
}

/** Where the section headers lie; `count` is 0 in an image that has none. */
export interface SectionTable {
  readonly offset: bigint;
  readonly count: number;
  readonly entrySize: number;
  /** The index of the section that holds the names of sections. */
  readonly names: number;
}

/** Real images have fewer than twenty. */
const MOST_PROGRAM_HEADERS = 128;

const CLASS = { ELF32: 1, ELF64: 2 } as const;
const LITTLE_ENDIAN = 1;
const MACHINE = { EM_386: 3, EM_X86_64: 62 } as const;
const ET_EXEC = 2;

/** What to do about an image of another type. */
const otherTypes: Readonly<Record<number, string>> = {
  1: 'an object file (ET_REL), not yet linked; link it with `stubdom build`',
  3: 'a shared object or position-independent (ET_DYN); link it with -no-pie',
  4: 'a core dump (ET_CORE), not a program',
};

const otherMachines: Readonly<Record<number, string>> = {
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC64',
  22: 'S/390',
  40: 'ARM',
  183: 'AArch64',
  243: 'RISC-V',
};

export function readHeader(file: ImageFile): Header {
  const width = readIdentification(file);
  const view = file.part('the ELF header', 0, width === 64 ? 64 : 52);
  checkMachine(file, width, view.getUint16(18, true));
  const type = view.getUint16(16, true);
  if (type !== ET_EXEC)
    file.fail(otherTypes[type] ?? `not an executable: its ELF type is ${type}, not ET_EXEC (2)`);

  const pointer = width / 8;
  const counts = 24 + 3 * pointer + 4;
  const headerSize = view.getUint16(counts, true);
  if (headerSize !== view.byteLength)
    file.fail(`e_ehsize is ${headerSize}; ELF${width} headers have ${view.byteLength} bytes`);
  checkProgramHeaders(file, width, view);
  return {
    width,
    entry: word(view, 24, width),
    sections: readSectionTable(file, width, view),
  };
}

function readIdentification(file: ImageFile): Width {
  const magic = [0x7f, 0x45, 0x4c, 0x46];
  if (file.size === 0) file.fail('not an ELF image: the file is empty');
  const start = Array.from(file.bytes.subarray(0, 4));
  if (start.some((byte, index) => byte !== magic[index])) {
    const seen = start.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    file.fail(`not an ELF image: it begins with ${seen}, not with 7f 45 4c 46`);
  }
  const view = file.part('the ELF header', 0, 52);
  const [elfClass, data, version] = [view.getUint8(4), view.getUint8(5), view.getUint8(6)];
  if (elfClass !== CLASS.ELF32 && elfClass !== CLASS.ELF64)
    file.fail(`its ELF class is ${elfClass}; ELF32 (1) and ELF64 (2) can run here`);
  if (data === 2) file.fail('big-endian; x86 images are little-endian');
  if (data !== LITTLE_ENDIAN) file.fail(`its data encoding is ${data}, not little-endian (1)`);
  if (version !== 1) file.fail(`its ELF version is ${version}, not 1`);
  return elfClass === CLASS.ELF64 ? 64 : 32;
}

function checkMachine(file: ImageFile, width: Width, machine: number): void {
  if (machine === (width === 64 ? MACHINE.EM_X86_64 : MACHINE.EM_386)) return;
  if (machine === MACHINE.EM_X86_64)
    file.fail('x86-64 code in an ELF32 file (the x32 ABI); build it as x86-64 or with -m32');
  if (machine === MACHINE.EM_386) file.fail('x86-32 code in an ELF64 file; build it with -m32');
  const name = otherMachines[machine];
  file.fail(
    `built for ${name === undefined ? `machine ${machine}` : name}; x86-64 and x86-32 images can run here`,
  );
}

function checkProgramHeaders(file: ImageFile, width: Width, view: DataView): void {
  const pointer = width / 8;
  const offset = word(view, 24 + pointer, width);
  const entrySize = view.getUint16(24 + 3 * pointer + 6, true);
  const count = view.getUint16(24 + 3 * pointer + 8, true);
  const expected = width === 64 ? 56 : 32;
  if (count === 0) file.fail('it has no program headers, so nothing to load');
  if (entrySize !== expected)
    file.fail(`e_phentsize is ${entrySize}; ELF${width} program headers have ${expected} bytes`);
  if (offset < BigInt(view.byteLength))
    file.fail(`e_phoff is ${offset}: the program headers would lie inside the ELF header`);
  if (count > MOST_PROGRAM_HEADERS)
    file.fail(`it has ${count} program headers; at most ${MOST_PROGRAM_HEADERS} are loaded`);
  for (let index = 0; index < count; index++)
    file.part(`program header ${index}`, offset + BigInt(index * entrySize), entrySize);
}

function readSectionTable(file: ImageFile, width: Width, view: DataView): SectionTable {
  const pointer = width / 8;
  const offset = word(view, 24 + 2 * pointer, width);
  const at = 24 + 3 * pointer + 10;
  const entrySize = view.getUint16(at, true);
  const count = offset === 0n ? 0 : view.getUint16(at + 2, true);
  const expected = width === 64 ? 64 : 40;
  if (count > 0) {
    if (entrySize !== expected)
      file.fail(`e_shentsize is ${entrySize}; ELF${width} section headers have ${expected} bytes`);
    file.part('the table of section headers', offset, count * entrySize);
  }
  return { offset, count, entrySize, names: view.getUint16(at + 4, true) };
}
