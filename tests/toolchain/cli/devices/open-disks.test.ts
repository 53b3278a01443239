import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  parseDiskOption,
  parseDiskSpecification,
} from '../../../../toolchain/cli/devices/disk-specification.ts';
import { closeDisks, openDisks } from '../../../../toolchain/cli/devices/open-disks.ts';
import { assertRefused } from '../../../support/assert-refused.ts';

const disks = suite<{ path: (name: string) => string }>('toolchain/cli/devices/open-disks');

disks.before.each((context) => {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-disks-'));
  context.path = (name) => join(directory, name);
  for (const name of ['a', 'b']) writeFileSync(context.path(name), new Uint8Array(1024));
});
disks.after.each(({ path }) => rmSync(path('.'), { recursive: true, force: true }));

disks('all are open, with what the guest is to see', async ({ path }) => {
  const open = await openDisks([`xvda=${path('a')}`, `sda=${path('b')}:ro`].map(parseDiskOption));

  const shown = open.flatMap((one) =>
    one.disk === undefined ? [] : [[one.vdev, one.target, one.disk.sectors, one.disk.isReadOnly]],
  );
  assert.equal(shown, [
    ['xvda', path('a'), 2, false],
    ['sda', path('b'), 2, true],
  ]);
  await closeDisks(open);
});

disks('a drive without a disk has nothing to open', async () => {
  const open = await openDisks([parseDiskSpecification(',hdc:cdrom,r')]);

  assert.equal(open, [{ vdev: 'hdc', disk: undefined }]);
  await closeDisks(open);
});

disks('where one cannot be opened, none stays open', async ({ path }) => {
  const both = [`xvda=${path('a')}`, `xvdb=${path('missing')}`].map(parseDiskOption);

  await assertRefused(() => openDisks(both), /missing: no such file/);

  await closeDisks(await openDisks([parseDiskOption(`xvda=${path('a')}`)]));
});

disks('two disks cannot be one device, however it is written', async ({ path }) => {
  const pair = (one: string, other: string) =>
    [`${one}=${path('a')}`, `${other}=${path('b')}`].map(parseDiskOption);

  await assertRefused(() => openDisks(pair('xvda', 'xvda')), 'two disks are xvda');
  await assertRefused(() => openDisks(pair('xvda', 'd0')), 'two disks are one device: xvda and d0');
});

disks.run();
