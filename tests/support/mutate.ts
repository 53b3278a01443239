/**
 * Damages an ELF image the way a hostile or careless hand would: bits, bytes, ends, and, knowing the format, the words
 * of its headers, tables and dynamic section, with values from the edges of what a word can hold.
 */
import type { Random } from './random.ts';

export interface Mutation {
  /** What was done, so that a failure can be read. */
  readonly what: string;
  readonly bytes: Uint8Array;
}

/** A word of the image that means something. */
interface Field {
  readonly name: string;
  readonly offset: number;
  readonly size: 1 | 2 | 4 | 8;
}

type Damage = (bytes: Uint8Array, fields: readonly Field[], random: Random) => Mutation;

/** Answers a source of mutations of a good image; equal randoms give equal mutations. */
export function mutator(image: Uint8Array): (random: Random) => Mutation {
  const fields = fieldsOf(image);
  return (random) => {
    const damage = damages[random.below(damages.length)] ?? flipBits;
    return damage(Uint8Array.from(image), fields, random);
  };
}

const flipBits: Damage = (bytes, _, random) => {
  const flips = Array.from({ length: 1 + random.below(8) }, () => random.below(bytes.length * 8));
  for (const bit of flips) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return { what: `bits ${flips.join(' ')} flipped`, bytes };
};

const truncate: Damage = (bytes, _, random) => {
  const size = random.below(bytes.length);
  return { what: `cut to ${size} bytes`, bytes: bytes.slice(0, size) };
};

const overwrite: Damage = (bytes, _, random) => {
  const at = random.below(bytes.length);
  const noise = random.bytes(Math.min(1 + random.below(64), bytes.length - at));
  bytes.set(noise, at);
  return { what: `${noise.length} random bytes at ${at}`, bytes };
};

const moveBytes: Damage = (bytes, _, random) => {
  const [from, to] = [random.below(bytes.length), random.below(bytes.length)];
  const size = 1 + random.below(256);
  bytes.copyWithin(to, from, from + size);
  return { what: `${size} bytes copied from ${from} to ${to}`, bytes };
};

const setFields: Damage = (bytes, fields, random) => {
  const changes = Array.from({ length: 1 + random.below(3) }, () => {
    const field = fields[random.below(fields.length)];
    if (field === undefined) return 'no field';
    const value = edgeValue(bytes, fields, random);
    writeField(bytes, field, value);
    return `${field.name} = 0x${BigInt.asUintN(field.size * 8, value).toString(16)}`;
  });
  return { what: changes.join(', '), bytes };
};

/** Words of the format are most of what a parser believes, so most of the damage goes there. */
const damages: readonly Damage[] = [
  flipBits,
  truncate,
  overwrite,
  moveBytes,
  setFields,
  setFields,
  setFields,
  setFields,
];

function edgeValue(bytes: Uint8Array, fields: readonly Field[], random: Random): bigint {
  const other = fields[random.below(fields.length)];
  const size = BigInt(bytes.length);
  const edges = [
    ...[0n, 1n, 2n, 7n, 8n, 0x7fn, 0xffn, 0x7fffn, 0xffffn, 0x7fff_ffffn, 0x8000_0000n],
    ...[0xffff_fff8n, 0xffff_ffffn, 1n << 32n, 1n << 47n, 1n << 53n, 1n << 63n, -1n, -8n, -4096n],
    ...[size - 1n, size, size + 1n, size / 2n],
    random.bigint64(),
    BigInt(random.below(bytes.length)),
    other === undefined ? 0n : readField(bytes, other) + BigInt(random.below(33) - 16),
  ];
  return edges[random.below(edges.length)] ?? 0n;
}

function readField(bytes: Uint8Array, { offset, size }: Field): bigint {
  return bytes
    .subarray(offset, offset + size)
    .reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function writeField(bytes: Uint8Array, { offset, size }: Field, value: bigint): void {
  for (let index = 0; index < size; index++)
    bytes[offset + index] = Number(BigInt.asUintN(8, value >> BigInt(8 * index)));
}

const wide = {
  // biome-ignore format: the header's words in order
  header: ['e_type:2', 'e_machine:2', 'e_version:4', 'e_entry:8', 'e_phoff:8', 'e_shoff:8', 'e_flags:4', 'e_ehsize:2',
    'e_phentsize:2', 'e_phnum:2', 'e_shentsize:2', 'e_shnum:2', 'e_shstrndx:2'],
  // biome-ignore format: the header's words in order
  program: ['p_type:4', 'p_flags:4', 'p_offset:8', 'p_vaddr:8', 'p_paddr:8', 'p_filesz:8', 'p_memsz:8', 'p_align:8'],
  // biome-ignore format: the header's words in order
  section: ['sh_name:4', 'sh_type:4', 'sh_flags:8', 'sh_addr:8', 'sh_offset:8', 'sh_size:8', 'sh_link:4', 'sh_info:4',
    'sh_addralign:8', 'sh_entsize:8'],
} as const;

const narrow = {
  header: wide.header.map((word) => word.replace(':8', ':4')),
  // biome-ignore format: the header's words in order
  program: ['p_type:4', 'p_offset:4', 'p_vaddr:4', 'p_paddr:4', 'p_filesz:4', 'p_memsz:4', 'p_flags:4', 'p_align:4'],
  section: wide.section.map((word) => word.replace(':8', ':4')),
};

function fieldsOf(image: Uint8Array): Field[] {
  const layout = image[4] === 2 ? wide : narrow;
  const identification = ['magic:4', 'class:1', 'data:1', 'version:1'];
  const header = [...record('', 0, identification), ...record('', 16, layout.header)];
  const get = (fields: readonly Field[], name: string): number => {
    const field = fields.find((each) => each.name.endsWith(name));
    return field === undefined ? 0 : Number(readField(image, field));
  };
  const table = (kind: 'program' | 'section', prefix: string): Field[][] =>
    Array.from({ length: get(header, `e_${prefix}num`) }, (_, index) => {
      const offset = get(header, `e_${prefix}off`) + index * get(header, `e_${prefix}entsize`);
      return record(`${kind} ${index} `, offset, layout[kind]);
    });

  const programs = table('program', 'ph');
  const sections = table('section', 'sh');
  // Dynamic entries, notes, hash tables, symbols and relocations are all made of such words.
  const contents = programs
    .filter((program) => [2, 4].includes(get(program, 'p_type')))
    .map((program) => ({ at: get(program, 'p_offset'), size: get(program, 'p_filesz') }));
  const listed = sections
    .filter((section) => [2, 4, 5, 6, 7, 9, 11, 0x6ffffff6].includes(get(section, 'sh_type')))
    .map((section) => ({ at: get(section, 'sh_offset'), size: get(section, 'sh_size') }));
  const size = image[4] === 2 ? 8 : 4;
  const words = [...contents, ...listed].flatMap(({ at, size: length }) =>
    Array.from({ length: Math.floor(length / 4) }, (_, index): Field => {
      const offset = at + index * 4;
      return { name: `word at ${offset}`, offset, size: offset % size === 0 ? size : 4 };
    }),
  );
  return [...header, ...header, ...programs.flat(), ...sections.flat(), ...words].filter(
    ({ offset, size: length }) => offset + length <= image.length,
  );
}

function record(prefix: string, offset: number, words: readonly string[]): Field[] {
  let next = offset;
  return words.map((word) => {
    const [name = '', width] = word.split(':');
    const size = Number(width) as Field['size'];
    next += size;
    return { name: `${prefix}${name}`, offset: next - size, size };
  });
}
