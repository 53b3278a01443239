import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { guestNetText, measureGuestNet } from './net-guest.ts';

const bench = suite('bench/net-guest');

bench('a guest’s streams are measured beside Node’s, and the target is told', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-net-'));
  try {
    const { guest, node } = await measureGuestNet(64, { directory, megabytes: 10 });

    for (const { sent, received } of [guest, node]) assert.ok(sent > 0 && received > 0);
    assert.match(
      guestNetText({
        ...{ width: 32, guest: { sent: 300, received: 299 } },
        node: { sent: 9000, received: 8000 },
      }),
      /^TCP sent .*x86-32: 300 Mbit\/s; .*9000; target 300: met\nTCP received .* 299 .*: not met$/,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

bench.run();
