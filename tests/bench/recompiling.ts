/** What recompiling costs: microseconds per guest instruction, by step, and bytes of Wasm per byte of x86. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseImage } from '../../runtime/elf/image.ts';
import type { Statement } from '../../runtime/ir/value.ts';
import { conventionOf } from '../../runtime/recompiler/convention.ts';
import type { GuestFunction } from '../../runtime/recompiler/discover.ts';
import { ByteEmitter } from '../../runtime/recompiler/emit/byte-emitter.ts';
import { outline, plan } from '../../runtime/recompiler/lower/plan.ts';
import { Recipes } from '../../runtime/recompiler/recipes.ts';
import type { FixedCode } from '../../runtime/recompiler/store/code-region.ts';
import { Translator } from '../../runtime/recompiler/translator.ts';
import { Decoder } from '../../runtime/x86/decode.ts';
import type { Mode } from '../../runtime/x86/registers.ts';
import type { Width } from '../../toolchain/index.ts';
import { helloDirectory } from '../golden/record/hello-c.ts';

export interface Recompiling {
  readonly image: string;
  readonly width: Width;
  readonly instructions: number;
  /** Microseconds per instruction in a fresh process, as a cold `stubdom run` meets it. */
  readonly first: Steps;
  /** The same once V8 has optimised the recompiler. */
  readonly warm: Steps & Shares;
  readonly wasmBytesPerX86Byte: number;
}

export interface Steps {
  /** Bytes to IR. */
  readonly reading: number;
  /** IR to a module, by the emitter of run time, in the form that it makes first. */
  readonly writing: number;
  /** V8's check of the module; it compiles each function when it is first called, and keeps what it has seen before. */
  readonly checking: number;
}

/** Parts of the steps, measured apart. */
export interface Shares {
  /** Of reading: bytes to instructions. */
  readonly decoding: number;
  /** Of writing: liveness and the like. */
  readonly planning: number;
}

/** Any places will do: the code is not run. */
const layout = { state: 0x1000, pageFlags: 0x10000, codeMap: 0x110000 };
const maximumPages = 0x1_0000;

const helloImage = (width: Width): string => join(helloDirectory, `hello-${width}.elf`);

interface Round {
  readonly functions: readonly GuestFunction[];
  readonly bytes: Uint8Array;
  /** Milliseconds. */
  readonly steps: Steps;
}

/** To be called once a process, for `first` to mean what it says. All functions that have symbols are recompiled. */
export async function measureRecompiling(
  width: Width,
  file = helloImage(width),
  repetitions = 10,
): Promise<Recompiling> {
  const image = await parseImage(new Uint8Array(readFileSync(file)), basename(file));
  const code = image.segments.filter(({ executable }) => executable);
  const entries = image.symbols.functions().map(({ address }) => address);
  const run = { lo: image.segments[0]?.address ?? 0n, host: 0x210000 };
  const readConstant = constants(image.segments.filter(({ writable }) => !writable));
  const once = (): Round =>
    recompile(
      new Translator({
        layout: { ...layout, mode: width, run },
        recipes: new Recipes(),
        ...{ code, entries, readConstant },
      }),
      [image.entry, ...entries],
    );
  const { functions, bytes, steps: first } = once();
  let warm = first;
  let shares = sharesOf(width, code, functions);
  for (let i = 0; i < repetitions; i++) {
    warm = least(warm, once().steps);
    shares = least(shares, sharesOf(width, code, functions));
  }
  const instructions = functions.reduce((sum, fn) => sum + fn.instructions, 0);
  return {
    ...{ image: basename(file), width, instructions },
    first: perInstruction(first, instructions),
    warm: perInstruction({ ...warm, ...shares }, instructions),
    wasmBytesPerX86Byte: bytes.length / x86Bytes(functions),
  };
}

/** Entries of jump tables. */
const constants =
  (segments: readonly FixedCode[]) =>
  (address: bigint, width: Width): bigint | undefined => {
    const size = width / 8;
    for (const { address: start, bytes } of segments) {
      const at = Number(address - start);
      if (at < 0 || at + size > bytes.length) continue;
      const view = new DataView(bytes.buffer, bytes.byteOffset + at, size);
      return width === 64 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
    }
    return undefined;
  };

function recompile(translator: Translator, entries: readonly bigint[]): Round {
  const begun = performance.now();
  const functions = translator.gather(entries, () => false);
  const read = performance.now();
  const { bytes } = translator.translate(new ByteEmitter(maximumPages), functions, 'fast');
  const written = performance.now();
  new WebAssembly.Module(new Uint8Array(bytes));
  const checked = performance.now();
  translator.free();
  const steps = { reading: read - begun, writing: written - read, checking: checked - written };
  return { functions, bytes, steps };
}

/** Milliseconds. */
function sharesOf(
  mode: Mode,
  code: readonly FixedCode[],
  functions: readonly GuestFunction[],
): Shares {
  const decoders = code.map(({ address, bytes }) => new Decoder(mode, address, bytes));
  const begun = performance.now();
  for (const statement of statementsOf(functions))
    if (statement.kind === 'instruction')
      decoders.find((decoder) => decoder.contains(statement.address))?.decode(statement.address);
  const decoded = performance.now();
  for (const fn of functions) plan(outline(fn), conventionOf(mode));
  const planned = performance.now();
  for (const decoder of decoders) decoder.free();
  return { decoding: decoded - begun, planning: planned - decoded };
}

function least<T extends object>(a: T, b: T): T {
  const pairs = Object.entries(b) as [keyof T, number][];
  return Object.fromEntries(
    pairs.map(([step, time]) => [step, Math.min(time, Number(a[step]))]),
  ) as T;
}

const perInstruction = <T extends object>(steps: T, instructions: number): T =>
  Object.fromEntries(
    Object.entries(steps).map(([step, time]) => [step, ((time as number) * 1000) / instructions]),
  ) as T;

const statementsOf = (functions: readonly GuestFunction[]): readonly Statement[] =>
  functions.flatMap(({ blocks }) => blocks.flatMap(({ statements }) => statements));

function x86Bytes(functions: readonly GuestFunction[]): number {
  let bytes = 0;
  for (const statement of statementsOf(functions))
    if (statement.kind === 'instruction') bytes += statement.length;
  return bytes;
}

/** As a process of its own: `recompiling.js WIDTH [IMAGE]` prints the result as JSON. */
if (process.argv[1]?.endsWith('recompiling.js')) {
  const width = process.argv[2] === '32' ? 32 : 64;
  const result = await measureRecompiling(width, process.argv[3]);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
