/** A vCPU's translations as the cache keeps them: a header in JSON, then the modules' bytes one after another. */
import type { Stretch } from '../../memory/page-index.ts';
import type { Run } from '../../memory/runs.ts';
import type { Form } from '../lower/lower-function.ts';
import type { StoredFunction } from './stored-function.ts';

export interface KeptModule {
  readonly bytes: Uint8Array;
  readonly functions: readonly StoredFunction[];
  /** Of code that its guest may write to. */
  readonly madeFrom?: MadeFrom | undefined;
  /** Its functions know nothing of each other: each may be used where its own bytes are. */
  readonly isApart?: boolean;
}

/** What must be there for a module to be used again. */
export interface MadeFrom {
  /** What each function's code and tables were, one after the other. */
  readonly code: readonly Uint8Array[];
  /** Of which windows in it have constants. */
  readonly runs: readonly Run[];
}

export interface KeptTranslation {
  readonly dispatcher: Uint8Array;
  /** The module that computes flags (flags-module.ts), where one asks for it. */
  readonly flags: Uint8Array | undefined;
  readonly modules: readonly KeptModule[];
  /** Names of the flag recipes, in order of their numbers. */
  readonly recipes: readonly string[];
  /** Whether the modules leave SSE floats to the evaluator. */
  readonly exactFloats: boolean;
  /** Whether one of the modules is all that is known of the image. */
  readonly isWhole: boolean;
}

interface Header {
  readonly dispatcher: number;
  readonly flags: number;
  readonly exactFloats: boolean;
  readonly isWhole: boolean;
  readonly recipes: readonly string[];
  readonly modules: readonly {
    readonly size: number;
    readonly functions: readonly FunctionRow[];
    /** Bytes in hexadecimal, and lo and host of runs. */
    readonly madeFrom?: {
      readonly code: readonly string[];
      readonly runs: readonly [string, number][];
    };
    readonly isApart?: boolean;
  }[];
}

/** Addresses are in hexadecimal. */
type FunctionRow = readonly [
  name: string,
  entry: string,
  isFast: boolean,
  /** Address and selector, one after the other. */
  entries: readonly (string | number)[],
  /** First and last address, one after the other. */
  code: readonly string[],
  tables: readonly string[],
  calls: readonly string[],
  isAskedFast: boolean,
];

export function encode(kept: KeptTranslation): Uint8Array {
  const header: Header = {
    dispatcher: kept.dispatcher.length,
    flags: kept.flags?.length ?? 0,
    exactFloats: kept.exactFloats,
    isWhole: kept.isWhole,
    recipes: kept.recipes,
    modules: kept.modules.map(({ bytes, functions, madeFrom, isApart }) => ({
      size: bytes.length,
      functions: functions.map(rowOf),
      ...(isApart && { isApart }),
      ...(madeFrom && {
        madeFrom: {
          code: madeFrom.code.map(hexOf),
          runs: madeFrom.runs.map(({ lo, host }): [string, number] => [hex(lo), host]),
        },
      }),
    })),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const parts = [
    new Uint8Array(4),
    text,
    kept.dispatcher,
    kept.flags ?? new Uint8Array(),
    ...kept.modules.map(({ bytes }) => bytes),
  ];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  new DataView(whole.buffer).setUint32(0, text.length, true);
  return whole;
}

/** Where in an encoding the first module lies, which is the image's; undefined where there is none. */
export function mainModuleOf(bytes: Uint8Array): { from: number; to: number } | undefined {
  try {
    const { header, from: start } = readHeader(bytes);
    const from = start + header.dispatcher + header.flags;
    const to = from + (header.modules[0]?.size ?? 0);
    return to > from && to <= bytes.length ? { from, to } : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined where the bytes are not what `encode` wrote: the cache is the host's, but it may be damaged. */
export function decode(bytes: Uint8Array): KeptTranslation | undefined {
  try {
    const { header, from } = readHeader(bytes);
    let at = from;
    const take = (length: number): Uint8Array => {
      at += length;
      if (at > bytes.length) throw new RangeError('the entry is cut off');
      return bytes.subarray(at - length, at);
    };
    const dispatcher = take(header.dispatcher);
    const flags = header.flags === 0 ? undefined : take(header.flags);
    const modules = header.modules.map(({ size: length, functions, madeFrom, isApart }) => ({
      bytes: take(length),
      functions: functions.map(functionOf),
      ...(isApart && { isApart }),
      ...(madeFrom && {
        madeFrom: {
          code: madeFrom.code.map(bytesOf),
          runs: madeFrom.runs.map(([lo, host]) => ({ lo: number(lo), host: Number(host) })),
        },
      }),
    }));
    const { recipes, exactFloats, isWhole } = header;
    return { dispatcher, flags, modules, recipes, exactFloats, isWhole };
  } catch {
    return undefined;
  }
}

function readHeader(bytes: Uint8Array): { header: Header; from: number } {
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const from = 4 + size;
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, from))) as Header;
  return { header, from };
}

const hex = (address: bigint): string => address.toString(16);
const number = (text: unknown): bigint => BigInt(`0x${String(text)}`);

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );

const rowOf = (fn: StoredFunction): FunctionRow => [
  fn.name,
  hex(fn.entry),
  fn.form === 'fast',
  fn.entries.flatMap(({ address, selector }) => [hex(address), selector]),
  fn.code.flatMap(({ from, to }) => [hex(from), hex(to)]),
  fn.tables.flatMap(({ from, to }) => [hex(from), hex(to)]),
  fn.calls.map(hex),
  fn.asked === 'fast',
];

const formOf = (isFast: boolean): Form => (isFast ? 'fast' : 'resumable');

function functionOf(row: FunctionRow): StoredFunction {
  const [name, entry, isFast, entries, code, tables, calls, isAskedFast] = row;
  return {
    name: String(name),
    entry: number(entry),
    form: formOf(isFast),
    asked: formOf(isAskedFast),
    entries: pairs(entries).map(([address, selector]) => ({
      address: number(address),
      selector: Number(selector),
    })),
    code: stretches(code),
    tables: stretches(tables),
    calls: calls.map(number),
  };
}

const stretches = (flat: readonly string[]): Stretch[] =>
  pairs(flat).map(([from, to]) => ({ from: number(from), to: number(to) }));

function pairs<Item>(flat: readonly Item[]): [Item, Item][] {
  const result: [Item, Item][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [first, second] = flat.slice(i, i + 2);
    if (first !== undefined && second !== undefined) result.push([first, second]);
  }
  return result;
}
