/** Changes words of a good ELF64 image by the names that the System V ABI gives them. */

// biome-ignore format: offset and size, in the order of Elf64_Ehdr
const header = {
  e_class: [4, 1], e_data: [5, 1], e_ident_version: [6, 1], e_type: [16, 2], e_machine: [18, 2], e_entry: [24, 8],
  e_phoff: [32, 8], e_shoff: [40, 8], e_ehsize: [52, 2], e_phentsize: [54, 2], e_phnum: [56, 2], e_shentsize: [58, 2],
  e_shnum: [60, 2], e_shstrndx: [62, 2],
} as const;

// biome-ignore format: offset and size, in the order of Elf64_Phdr
const program = {
  p_type: [0, 4], p_flags: [4, 4], p_offset: [8, 8], p_vaddr: [16, 8], p_filesz: [32, 8], p_memsz: [40, 8],
} as const;

export type HeaderWord = keyof typeof header;
export type ProgramWord = keyof typeof program;

export function withHeader(
  image: Uint8Array,
  words: Partial<Record<HeaderWord, bigint>>,
): Uint8Array {
  return edited(image, 0, header, words);
}

export function withProgramHeader(
  image: Uint8Array,
  index: number,
  words: Partial<Record<ProgramWord, bigint>>,
): Uint8Array {
  return edited(image, 64 + 56 * index, program, words);
}

/** Sets an entry of the dynamic section; `undefined` takes it away. */
export function withDynamic(image: Uint8Array, tag: bigint, value: bigint | undefined): Uint8Array {
  const copy = Uint8Array.from(image);
  const view = new DataView(copy.buffer);
  for (let at = dynamicOffset(image); view.getBigUint64(at, true) !== 0n; at += 16) {
    if (view.getBigUint64(at, true) !== tag) continue;
    if (value === undefined) view.setBigUint64(at, 0x7000_0000n, true);
    else view.setBigUint64(at + 8, value, true);
    return copy;
  }
  throw new Error(`the image has no dynamic entry ${tag}`);
}

function dynamicOffset(image: Uint8Array): number {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  return Number(view.getBigUint64(64 + 56 * programHeader(image, 2) + 8, true));
}

/** The index of the first program header of a type. */
export function programHeader(image: Uint8Array, type: number): number {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  for (let index = 0; index < view.getUint16(56, true); index++)
    if (view.getUint32(64 + 56 * index, true) === type) return index;
  throw new Error(`the image has no program header of type ${type}`);
}

function edited(
  image: Uint8Array,
  base: number,
  layout: Readonly<Record<string, readonly [offset: number, size: number]>>,
  words: Readonly<Record<string, bigint | undefined>>,
): Uint8Array {
  const copy = Uint8Array.from(image);
  for (const [name, value = 0n] of Object.entries(words)) {
    const [offset = 0, size = 0] = layout[name] ?? [];
    for (let index = 0; index < size; index++)
      copy[base + offset + index] = Number(BigInt.asUintN(8, value >> BigInt(8 * index)));
  }
  return copy;
}
