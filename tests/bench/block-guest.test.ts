import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { guestBlockText, measureGuestBlock } from './block-guest.ts';

const bench = suite('bench/block-guest');

bench('a guest is measured, and its targets are told', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-block-'));
  try {
    const speed = await measureGuestBlock({ runs: 1, directory, requests: 2000 });

    assert.ok(speed.read > 0 && speed.written > 0);
    assert.match(
      guestBlockText({ read: 400, written: 199 }),
      /^block read by a guest, .* 400 MB\/s; target 400: met\nblock written by a guest, .*not met$/,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

bench.run();
