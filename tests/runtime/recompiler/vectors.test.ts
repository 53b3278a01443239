/** The recorded instructions through recompiled code: what the CPU and the evaluator do, Wasm does, too. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freshSeed } from '../../support/random.ts';
import { groupsOf } from '../../support/vectors.ts';
import { binaryenEmitters, byteEmitters } from '../../support/wasm-executor.ts';
import { replayInWasm } from '../../support/wasm-replay.ts';

const test = suite('runtime/recompiler/vectors');
const shown = Number(process.env['SHOWN'] ?? 20);
const seed = Number(process.env['SEED'] ?? freshSeed());

/** The full tier replays all in either emitter; the short one a part of each opcode's forms, less by binaryen, which is slow. */
const isFull = process.env['STUBDOM_TEST_TIER'] === 'full';
const oneOf = isFull ? { bytes: 1, binaryen: 1 } : { bytes: 16, binaryen: 60 };

process.stdout.write(
  `vectors: one form of ${oneOf.bytes}, with binaryen of ${oneOf.binaryen}, SEED=${seed}\n`,
);

for (const width of [64, 32] as const)
  for (const emitter of ['bytes', 'binaryen'] as const)
    for (const group of groupsOf(width))
      test(`${width}: ${group} does in Wasm (${emitter}) what the recorded CPU did`, async () => {
        const emitters = emitter === 'bytes' ? byteEmitters : await binaryenEmitters();

        const { wrong, cases, left } = replayInWasm({
          ...{ width, group, seed, emitters },
          oneOf: oneOf[emitter],
        });

        const lines = wrong.slice(0, shown).join('\n');
        assert.is(wrong.length, 0, `SEED=${seed}: ${wrong.length} forms differ:\n${lines}`);
        // Floats that obey MXCSR are the evaluator's; else it does what accesses at the borders of pages leave to it.
        if (group !== 'sse-mxcsr')
          assert.ok(left <= Math.max(20, cases / 3), `${left} of ${cases} left Wasm`);
      });

test.run();
