import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XenError } from '../../../../runtime/errors.ts';
import { canPunchHoles, punchHole } from '../../../../runtime/host/node/punch-hole.ts';

const untried = (): void => void process.stdout.write('not tried: this machine has no fallocate\n');

const holes = suite<{ directory: string }>('runtime/host/node/punch-hole');

holes.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-hole-'));
});
holes.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

holes('where there is no fallocate on the path, there are no holes', ({ directory }) => {
  assert.not(canPunchHoles(directory));
  writeFileSync(join(directory, 'fallocate'), '');
  assert.not(canPunchHoles(directory));
});

holes(
  'a hole reads as zeros, takes no blocks, and the file keeps its length',
  async ({ directory }) => {
    if (!canPunchHoles()) return untried();
    const path = join(directory, 'file');
    writeFileSync(path, new Uint8Array(65536).fill(1));
    const fd = openSync(path, 'r+');

    await punchHole(fd, 4096, 57344);

    const content = readFileSync(path);
    assert.is(content.length, 65536);
    assert.equal([content[4095], content[4096], content[61439], content[61440]], [1, 0, 0, 1]);
    assert.ok(statSync(path).blocks <= 16);
    closeSync(fd);
  },
);

holes('what cannot be is an error with its errno', async ({ directory }) => {
  if (!canPunchHoles()) return untried();
  const path = join(directory, 'file');
  writeFileSync(path, new Uint8Array(8192));
  const fd = openSync(path, 'r');

  const error: unknown = await punchHole(fd, 0, 0).catch((reason: unknown) => reason);

  assert.instance(error, XenError);
  assert.is((error as XenError).errno, 'EIO');
  closeSync(fd);
});

holes.run();
