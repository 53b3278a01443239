/** A vCPU's translations as the cache keeps them: a header in JSON, then the modules' bytes one after another. */
import type { LoweredFunction } from './lower-function.ts';

export interface KeptModule {
  readonly bytes: Uint8Array;
  readonly functions: readonly LoweredFunction[];
}

export interface KeptTranslation {
  readonly dispatcher: Uint8Array;
  readonly modules: readonly KeptModule[];
  /** Names of the flag recipes, in order of their numbers. */
  readonly recipes: readonly string[];
  /** Whether the modules leave SSE floats to the evaluator. */
  readonly exactFloats: boolean;
}

interface Header {
  readonly dispatcher: number;
  readonly exactFloats: boolean;
  readonly recipes: readonly string[];
  /** Of each function its name, then address in hexadecimal and selector of every entry. */
  readonly modules: readonly {
    readonly size: number;
    readonly functions: readonly (readonly (string | number)[])[];
  }[];
}

export function encode(kept: KeptTranslation): Uint8Array {
  const header: Header = {
    dispatcher: kept.dispatcher.length,
    exactFloats: kept.exactFloats,
    recipes: kept.recipes,
    modules: kept.modules.map(({ bytes, functions }) => ({
      size: bytes.length,
      functions: functions.map(({ name, entries }) => [
        name,
        ...entries.flatMap(({ address, selector }) => [address.toString(16), selector]),
      ]),
    })),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const parts = [
    new Uint8Array(4),
    text,
    kept.dispatcher,
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

/** Undefined where the bytes are not what `encode` wrote: the cache is the host's, but it may be damaged. */
export function decode(bytes: Uint8Array): KeptTranslation | undefined {
  try {
    const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size))) as Header;
    let at = 4 + size;
    const take = (length: number): Uint8Array => {
      at += length;
      if (at > bytes.length) throw new RangeError('the entry is cut off');
      return bytes.subarray(at - length, at);
    };
    const dispatcher = take(header.dispatcher);
    const modules = header.modules.map(({ size: length, functions }) => ({
      bytes: take(length),
      functions: functions.map(([name, ...entries]) => ({
        name: String(name),
        entries: pairs(entries),
      })),
    }));
    return { dispatcher, modules, recipes: header.recipes, exactFloats: header.exactFloats };
  } catch {
    return undefined;
  }
}

function pairs(flat: readonly (string | number)[]): { address: bigint; selector: number }[] {
  const result = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    result.push({ address: BigInt(`0x${flat[i]}`), selector: Number(flat[i + 1]) });
  }
  return result;
}
