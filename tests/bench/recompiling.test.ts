/** What recompiling may cost: the size of the Wasm exactly, the time with room for a machine that others share. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { measureRecompiling } from './recompiling.ts';

const test = suite('bench/recompiling');

/** Bytes of Wasm a byte of x86, of hello, which is a fixed image: what it is now, and a little. */
const largest = { 64: 14, 32: 15 } as const;

/** Microseconds an instruction when V8 is warm; an idle machine takes a fiftieth. */
const slowest = 500;

for (const width of [64, 32] as const)
  test(`x86-${width}: hello comes out small, and in time`, async () => {
    const { wasmBytesPerX86Byte, warm, instructions } = await measureRecompiling(
      width,
      undefined,
      3,
    );

    assert.ok(instructions > 5000, `${instructions} instructions`);
    assert.ok(wasmBytesPerX86Byte <= largest[width], `${wasmBytesPerX86Byte} bytes a byte`);
    const time = warm.reading + warm.writing + warm.checking;
    assert.ok(time <= slowest, `${time} microseconds an instruction`);
  });

test.run();
