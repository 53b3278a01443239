import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { blockText, measureBlock } from './block.ts';

const bench = suite('bench/block');

bench('the block back-end is measured, and its targets are told', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-block-'));
  try {
    const speed = await measureBlock({ runs: 1, directory });

    for (const one of [speed.read, speed.written, speed.node.read, speed.node.written])
      assert.ok(one > 0 && Number.isFinite(one));
    assert.match(blockText(speed), /^block read, .* MB\/s, .*: (not )?met\nblock written, .*met$/);
    assert.match(blockText({ ...speed, read: 399 }), /target 400: not met/);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

bench.run();
