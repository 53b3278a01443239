/** A few bytes of code as discovery reads them. */
import type { CodeSource } from '../../runtime/recompiler/discover.ts';
import { Decoder } from '../../runtime/x86/decode.ts';
import type { Mode } from '../../runtime/x86/registers.ts';

export interface SourceOptions {
  /** Where functions are known to begin. */
  readonly entries?: readonly bigint[];
  readonly constants?: ReadonlyMap<bigint, bigint>;
  readonly exactFloats?: boolean;
}

const sourceStart = 0x1000n;

/** `hex` lies at `sourceStart`. */
export function codeSource(mode: Mode, hex: string, options: SourceOptions = {}): CodeSource {
  const { entries = [], constants = new Map(), exactFloats = false } = options;
  const bytes = Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
  const decoder = new Decoder(mode, sourceStart, bytes);
  return {
    mode,
    exactFloats,
    checksTaskSwitched: false,
    decoderAt: (address) => (decoder.contains(address) ? decoder : undefined),
    readConstant: (address) => constants.get(address),
    isEntry: (address) => entries.includes(address),
    entryAfter: (address) =>
      entries.filter((entry) => entry > address).sort((a, b) => (a < b ? -1 : 1))[0],
  };
}
