import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { measureThreads, mostBss, threadsText } from './threads.ts';

const bench = suite('bench/threads');

for (const width of [64, 32] as const)
  bench(
    `x86-${width}: switches and selects are counted, and a bss costs nothing untouched`,
    async () => {
      const directory = mkdtempSync(join(tmpdir(), 'stubdom-bench-threads-'));
      try {
        const speed = await measureThreads(width, { runs: 1, directory, rounds: 1000 });

        assert.ok(speed.switches > 0 && speed.select > 0);
        // As much again, since V8's own memory is not the same twice.
        assert.ok(speed.bss < 8 * mostBss, `${speed.bss} bytes`);
      } finally {
        rmSync(directory, { recursive: true });
      }
    },
  );

bench('the bound of a bss is told with what it takes', () => {
  const speed = { width: 64, switches: 12.34, select: 45.67, bss: 2.5 * 2 ** 20 } as const;

  assert.is(
    threadsText(speed),
    'x86-64: 10,000 thread switches in 12.3 ms, a select over 100 descriptors in 45.7 µs, 1 GiB of untouched bss takes 2.5 MiB (at most 4: met)',
  );
  assert.match(threadsText({ ...speed, bss: 5 * 2 ** 20 }), '5.0 MiB (at most 4: missed)');
});

bench.run();
