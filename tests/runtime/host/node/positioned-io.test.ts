import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XenError } from '../../../../runtime/errors.ts';
import { transferAt } from '../../../../runtime/host/node/positioned-io.ts';

const io = suite<{ path: string; fd: number }>('runtime/host/node/positioned-io');

io.before.each((context) => {
  context.path = join(mkdtempSync(join(tmpdir(), 'stubdom-io-')), 'a');
  writeFileSync(
    context.path,
    Uint8Array.from({ length: 5000 }, (_, n) => n),
  );
  context.fd = openSync(context.path, 'r+');
});
io.after.each(({ path, fd }) => {
  closeSync(fd);
  rmSync(join(path, '..'), { recursive: true, force: true });
});

io('more buffers than the kernel takes at once are filled all the same', ({ path, fd }) => {
  const buffers = Array.from({ length: 3000 }, () => new Uint8Array(1));

  assert.is(transferAt({ path, fd }, 'read', 7, buffers), 3000);

  assert.ok(buffers.every(([byte], n) => byte === ((n + 7) & 0xff)));
});

io('where the file ends, fewer bytes are read, and writes make it longer', ({ path, fd }) => {
  assert.is(transferAt({ path, fd }, 'read', 4990, [new Uint8Array(8), new Uint8Array(8)]), 10);
  assert.is(transferAt({ path, fd }, 'written', 4998, [Uint8Array.of(1, 2), Uint8Array.of(3)]), 3);

  assert.equal([...readFileSync(path).subarray(4998)], [1, 2, 3]);
});

io('what the host refuses has its errno', ({ path }) => {
  const fd = openSync(path, 'r');

  assert.throws(
    () => transferAt({ path, fd }, 'written', 0, [new Uint8Array(1)]),
    (error: unknown) => error instanceof XenError && error.errno === 'EBADF',
  );
  closeSync(fd);
});

io.run();
