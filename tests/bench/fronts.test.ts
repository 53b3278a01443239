import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { frontsText, measureFronts } from './fronts.ts';

const bench = suite('bench/fronts');

bench(
  'files are measured by every way to them, beside Node, and the targets are told',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stubdom-fronts-'));
    try {
      const { guest, node } = await measureFronts(64, { directory, megabytes: 8 });

      for (const { read, written } of [...Object.values(guest), node])
        assert.ok(read > 0 && written > 0);
      const slow = { read: 149, written: 150 };
      const text = frontsText({
        ...{ width: 32, guest: { fsfront: slow, '9p': slow, blkfront: slow, folder: slow } },
        node: { read: 9000, written: 8000 },
      });
      assert.match(
        text,
        /^64 KiB read by fsfront, x86-32: 149 MB\/s, Node itself 9000; target 150: not met$/m,
      );
      assert.match(
        text,
        /^64 KiB written by 9p, x86-32: 150 MB\/s, Node itself 8000; target 150: met$/m,
      );
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

bench.run();
