/**
 * C structs, declared. Offsets follow from the rules of the psABIs: x86-64 (3.1.2), and i386 (figure 3-1), where a
 * 64-bit integer is aligned to 4 in a struct. Views are live: a field is read and written in guest memory.
 */

export type Width = 64 | 32;

/** Where bytes are; asked at each access, since a growing memory changes its view. */
export interface ByteSource {
  view(): DataView;
}

/** T is what reading gives, W what writing takes. */
export interface FieldType<T, W = T> {
  size(width: Width): number;
  alignment(width: Width): number;
  read(source: ByteSource, at: number, width: Width): T;
  write(source: ByteSource, at: number, width: Width, value: W): void;
}

// A field of any type: what it takes and gives is in its own type.
type Fields = Readonly<Record<string, FieldType<unknown, never>>>;
type Read<F> = F extends FieldType<infer T, never> ? T : never;
type View<F extends Fields> = { -readonly [K in keyof F]: Read<F[K]> };
type Plain<F extends Fields> = {
  [K in keyof F]?: F[K] extends FieldType<unknown, infer W> ? W : never;
};

export interface Layout<F extends Fields> {
  readonly size: number;
  readonly alignment: number;
  readonly offsets: { readonly [K in keyof F]: number };
  at(source: ByteSource | Uint8Array, offset: number): View<F>;
}

export interface Struct<F extends Fields> extends FieldType<View<F>, Plain<F>> {
  readonly name: string;
  layout(width: Width): Layout<F>;
}

const scalar = <T>(
  size: number,
  get: (view: DataView, at: number) => T,
  set: (view: DataView, at: number, value: T) => void,
): FieldType<T> => ({
  size: () => size,
  alignment: (width) => (width === 32 ? Math.min(size, 4) : size),
  read: (source, at) => get(source.view(), at),
  write: (source, at, _, value) => set(source.view(), at, value),
});

// biome-ignore format: a table
export const u8 = scalar(1, (v, at) => v.getUint8(at), (v, at, x: number) => v.setUint8(at, x));
// biome-ignore format: a table
export const i8 = scalar(1, (v, at) => v.getInt8(at), (v, at, x: number) => v.setInt8(at, x));
// biome-ignore format: a table
export const u16 = scalar(2, (v, at) => v.getUint16(at, true), (v, at, x: number) => v.setUint16(at, x, true));
// biome-ignore format: a table
export const u32 = scalar(4, (v, at) => v.getUint32(at, true), (v, at, x: number) => v.setUint32(at, x, true));
// biome-ignore format: a table
export const u64 = scalar(8, (v, at) => v.getBigUint64(at, true), (v, at, x: bigint) => v.setBigUint64(at, x, true));
// biome-ignore format: a table
export const i16 = scalar(2, (v, at) => v.getInt16(at, true), (v, at, x: number) => v.setInt16(at, x, true));
// biome-ignore format: a table
export const i32 = scalar(4, (v, at) => v.getInt32(at, true), (v, at, x: number) => v.setInt32(at, x, true));
// biome-ignore format: a table
export const i64 = scalar(8, (v, at) => v.getBigInt64(at, true), (v, at, x: bigint) => v.setBigInt64(at, x, true));

/** A pointer, or an unsigned long: as wide as the guest. */
export const pointer: FieldType<bigint> = {
  size: (width) => width / 8,
  alignment: (width) => width / 8,
  read: (source, at, width) =>
    width === 64 ? u64.read(source, at, width) : BigInt(u32.read(source, at, width)),
  write: (source, at, width, value) =>
    width === 64
      ? u64.write(source, at, width, value)
      : u32.write(source, at, width, Number(BigInt.asUintN(32, value))),
};

/** A field that guests of one width have otherwise than those of the other. */
export const byWidth = <T, W>(
  types: Readonly<Record<Width, FieldType<T, W>>>,
): FieldType<T, W> => ({
  size: (width) => types[width].size(width),
  alignment: (width) => types[width].alignment(width),
  read: (source, at, width) => types[width].read(source, at, width),
  write: (source, at, width, value) => types[width].write(source, at, width, value),
});

/** `count` of one type; a shorter list leaves the rest as it is. */
export const array = <T, W>(
  type: FieldType<T, W>,
  count: number,
): FieldType<T[], readonly W[]> => ({
  size: (width) => type.size(width) * count,
  alignment: (width) => type.alignment(width),
  read: (source, at, width) =>
    Array.from({ length: count }, (_, i) => type.read(source, at + i * type.size(width), width)),
  write: (source, at, width, values) => {
    if (values.length > count)
      throw new RangeError(`an array of ${count} was given ${values.length} values`);
    for (const [i, value] of values.entries())
      type.write(source, at + i * type.size(width), width, value);
  },
});

export function struct<F extends Fields>(name: string, fields: F): Struct<F> {
  const layouts = { 64: lay(fields, 64), 32: lay(fields, 32) };
  return {
    name,
    layout: (width) => layouts[width],
    size: (width) => layouts[width].size,
    alignment: (width) => layouts[width].alignment,
    read: (source, at, width) => layouts[width].at(source, at),
    write: (source, at, width, value) => {
      Object.assign(layouts[width].at(source, at), value);
    },
  };
}

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

function lay<F extends Fields>(fields: F, width: Width): Layout<F> {
  let [end, alignment] = [0, 1];
  const offsets: Record<string, number> = {};
  for (const [name, type] of Object.entries(fields)) {
    const own = type.alignment(width);
    offsets[name] = roundUp(end, own);
    end = (offsets[name] ?? 0) + type.size(width);
    alignment = Math.max(alignment, own);
  }
  const prototype = viewPrototype(fields, offsets, width);
  return {
    size: roundUp(end, alignment),
    alignment,
    offsets: offsets as Layout<F>['offsets'],
    at: (source, offset) =>
      Object.assign(Object.create(prototype), { [origin]: { source: sourceOf(source), offset } }),
  };
}

const origin = Symbol('origin');

interface Placed {
  readonly [origin]: { readonly source: ByteSource; readonly offset: number };
}

function viewPrototype(
  fields: Fields,
  offsets: Readonly<Record<string, number>>,
  width: Width,
): object {
  const properties: PropertyDescriptorMap = {};
  for (const [name, type] of Object.entries(fields)) {
    const own = offsets[name] ?? 0;
    properties[name] = {
      enumerable: true,
      get(this: Placed): unknown {
        const { source, offset } = this[origin];
        return type.read(source, offset + own, width);
      },
      set(this: Placed, value: never): void {
        const { source, offset } = this[origin];
        type.write(source, offset + own, width, value);
      },
    };
  }
  return Object.create(null, properties);
}

function sourceOf(source: ByteSource | Uint8Array): ByteSource {
  if (!(source instanceof Uint8Array)) return source;
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  return { view: () => view };
}
