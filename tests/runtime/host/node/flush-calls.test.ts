/** What the host's kernel hears when a guest flushes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runProcess } from '../../../../toolchain/process.ts';

const calls = suite('runtime/host/node/flush-calls');

const guest = fileURLToPath(new URL('../../../support/flushing-guest.js', import.meta.url));

calls('each flush of a guest is one fdatasync, behind the write before it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-flush-'));
  const [image, log] = [join(directory, 'disk.img'), join(directory, 'calls')];
  writeFileSync(image, new Uint8Array(64 * 512));
  try {
    const words = ['-f', '-qq', '-y', '-e', 'trace=fdatasync,fsync,pwrite64,pwritev', '-o', log];
    const { status, stderr } = await runProcess('strace', [
      ...words,
      process.execPath,
      guest,
      image,
      '7',
    ]);
    if (status === 127 || /ptrace|not permitted/i.test(stderr)) {
      process.stdout.write(
        `not tried: strace cannot be run here: ${stderr.trim().split('\n')[0]}\n`,
      );
      return;
    }
    assert.is(status, 0, stderr);

    const names = readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line.includes(image))
      .flatMap((line) => /\b(fdatasync|fsync|pwrite64|pwritev)\(/.exec(line)?.[1] ?? []);
    assert.equal(names, Array.from({ length: 7 }, () => ['pwrite64', 'fdatasync']).flat());
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

calls.run();
