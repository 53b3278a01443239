import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { guestFileText, measureGuestFiles } from './file-guest.ts';

const bench = suite('bench/file-guest');

bench('a guest’s files are measured beside Node’s, and the target is told', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-files-'));
  try {
    const { folder, image, node } = await measureGuestFiles(64, { directory, megabytes: 2 });

    for (const speed of [folder, node, ...(image ? [image] : [])])
      assert.ok(speed.read > 0 && speed.written > 0);
    assert.match(
      guestFileText({
        ...{ width: 32, folder: { read: 300, written: 299 }, image: undefined },
        node: { read: 5000, written: 3000 },
      }),
      /^file read, .*x86-32: 300 MB\/s; .*5000; target 300: met\nfile written, .* 299 .*: not met$/,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

bench.run();
