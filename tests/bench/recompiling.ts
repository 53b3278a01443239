/** What recompiling costs: microseconds per guest instruction, by step, and bytes of Wasm per byte of x86. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseImage } from '../../runtime/elf/image.ts';
import { ByteEmitter } from '../../runtime/recompiler/byte-emitter.ts';
import type { GuestFunction } from '../../runtime/recompiler/discover.ts';
import { Recipes } from '../../runtime/recompiler/recipes.ts';
import { Translator } from '../../runtime/recompiler/translator.ts';
import type { Width } from '../../toolchain/index.ts';
import { helloDirectory } from '../golden/record/hello-c.ts';

export interface Recompiling {
  readonly width: Width;
  readonly instructions: number;
  /** Microseconds per instruction in a fresh process, as a cold `stubdom run` meets it. */
  readonly first: Steps;
  /** The same once V8 has optimised the recompiler. */
  readonly warm: Steps;
  readonly wasmBytesPerX86Byte: number;
}

export interface Steps {
  /** Bytes to IR. */
  readonly reading: number;
  /** IR to a module, by the emitter of run time. */
  readonly writing: number;
  /** V8's check of the module; it compiles each function when it is first called, and keeps what it has seen before. */
  readonly checking: number;
}

/** Any places will do: the code is not run. */
const layout = { state: 0x1000, pageFlags: 0x10000, codeMap: 0x110000 };
const maximumPages = 0x1_0000;
const repetitions = 5;

/** To be called once a process, for `first` to mean what it says. */
export async function measureRecompiling(width: Width): Promise<Recompiling> {
  const image = await parseImage(
    new Uint8Array(readFileSync(join(helloDirectory, `hello-${width}.elf`))),
    'hello',
  );
  const lo = image.segments[0]?.address ?? 0n;
  const once = (): { functions: GuestFunction[]; bytes: Uint8Array; steps: number[] } => {
    const translator = new Translator({
      layout: { ...layout, mode: width, run: { lo, host: 0x210000 } },
      recipes: new Recipes(),
      code: image.segments
        .filter(({ executable }) => executable)
        .map(({ address, bytes }) => ({ address, bytes })),
      entries: image.symbols.functions().map(({ address }) => address),
      readConstant: () => undefined,
    });
    const at = [performance.now()];
    const functions = translator.gather([image.entry], () => false);
    at.push(performance.now());
    const { bytes } = translator.translate(new ByteEmitter(maximumPages), functions);
    at.push(performance.now());
    new WebAssembly.Module(new Uint8Array(bytes));
    at.push(performance.now());
    translator.free();
    return { functions, bytes, steps: at.slice(1).map((time, i) => time - (at[i] ?? 0)) };
  };
  const { functions, bytes, steps } = once();
  let warm = steps;
  for (let i = 0; i < repetitions; i++) {
    const next = once().steps;
    warm = warm.map((least, step) => Math.min(least, next[step] ?? least));
  }
  const instructions = functions.reduce((sum, fn) => sum + fn.instructions, 0);
  const perInstruction = ([reading = 0, writing = 0, checking = 0]: readonly number[]): Steps => ({
    reading: (reading * 1000) / instructions,
    writing: (writing * 1000) / instructions,
    checking: (checking * 1000) / instructions,
  });
  return {
    ...{ width, instructions, first: perInstruction(steps), warm: perInstruction(warm) },
    wasmBytesPerX86Byte: bytes.length / x86Bytes(functions),
  };
}

function x86Bytes(functions: readonly GuestFunction[]): number {
  let bytes = 0;
  for (const { blocks } of functions)
    for (const { statements } of blocks)
      for (const statement of statements)
        if (statement.kind === 'instruction') bytes += statement.length;
  return bytes;
}

/** As a process of its own: `recompiling.js WIDTH` prints the result as JSON. */
if (process.argv[1]?.endsWith('recompiling.js')) {
  const width = process.argv[2] === '32' ? 32 : 64;
  process.stdout.write(`${JSON.stringify(await measureRecompiling(width))}\n`);
}
