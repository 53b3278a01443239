/** A folder of the host, from which no path leads out. */
import { spawn } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Folder } from '../../../../runtime/backends/folder/folder.ts';
import { UserError } from '../../../../runtime/errors.ts';
import { openFolder } from '../../../../runtime/host/node/host-folder.ts';
import { runProcess } from '../../../../toolchain/process.ts';
import { errnoOf } from '../../../support/errno-of.ts';

interface Context {
  /** Has `inside`, which is the guest's, and `secret`, which is not. */
  outside: string;
  inside: string;
  folder: Folder;
}

const folders = suite<Context>('runtime/host/node/host-folder');

folders.before.each((context) => {
  context.outside = mkdtempSync(join(tmpdir(), 'stubdom-folder-'));
  context.inside = join(context.outside, 'inside');
  mkdirSync(context.inside);
  mkdirSync(join(context.outside, 'other'));
  writeFileSync(join(context.outside, 'secret'), 'secret');
  writeFileSync(join(context.outside, 'other/secret'), 'secret');
  context.folder = openFolder(context.inside);
});
folders.after.each(({ folder, outside }) => {
  folder.close();
  rmSync(outside, { recursive: true, force: true });
});

function contents(folder: Folder, ...path: string[]): string {
  const file = folder.open(path, { writing: false });
  const bytes = new Uint8Array(100);
  const length = file.read(0, bytes);
  file.close();
  return new TextDecoder().decode(bytes.subarray(0, length));
}

folders(
  'a socket is a node that cannot be opened, and nothing else is left',
  ({ folder, inside }) => {
    folder.makeSocket(['named'], 0o640);

    assert.ok(lstatSync(join(inside, 'named')).isSocket());
    assert.is(lstatSync(join(inside, 'named')).mode & 0o777, 0o640);
    assert.equal(
      folder.list([]).map(({ name, mode }) => [name, mode]),
      [['named', 0o140000]],
    );
    assert.is(
      errnoOf(() => folder.open(['named'], { writing: false })),
      'ENXIO',
    );
    assert.is(
      errnoOf(() => folder.makeSocket(['named'], 0o640)),
      'EEXIST',
    );
    assert.is(
      errnoOf(() => folder.makeSocket(['no', 'named'], 0o640)),
      'ENOENT',
    );
    folder.unlink(['named']);
    assert.equal(folder.list([]), []);
  },
);

folders('what the guest writes the host reads, and the other way', ({ folder, inside }) => {
  const file = folder.open(['f'], { writing: true, create: 0o640 });
  file.write(0, new TextEncoder().encode('of the guest'));
  file.close();
  writeFileSync(join(inside, 'g'), 'of the host');

  assert.is(readFileSync(join(inside, 'f'), 'utf8'), 'of the guest');
  assert.is(contents(folder, 'g'), 'of the host');
  assert.is(statSync(join(inside, 'f')).mode & 0o777, 0o640);
  assert.equal(
    folder
      .list([])
      .map(({ name }) => name)
      .sort(),
    ['f', 'g'],
  );
});

folders('no link is followed, at the end of a path or within it', ({ folder, inside, outside }) => {
  symlinkSync(join(outside, 'secret'), join(inside, 'file'));
  symlinkSync(outside, join(inside, 'directory'));
  symlinkSync('..', join(inside, 'up'));

  assert.is(
    errnoOf(() => folder.open(['file'], { writing: false })),
    'ELOOP',
  );
  assert.is(
    errnoOf(() => folder.open(['file'], { writing: true, create: 0o600 })),
    'ELOOP',
  );
  for (const name of ['directory', 'up']) {
    assert.is(
      errnoOf(() => folder.open([name, 'secret'], { writing: false })),
      'ENOTDIR',
    );
    assert.is(
      errnoOf(() => folder.list([name])),
      'ENOTDIR',
    );
    assert.is(
      errnoOf(() => folder.status([name, 'secret'])),
      'ENOTDIR',
    );
    assert.is(
      errnoOf(() => folder.unlink([name, 'secret'])),
      'ENOTDIR',
    );
    assert.is(
      errnoOf(() => folder.rename([name, 'secret'], ['mine'])),
      'ENOTDIR',
    );
    assert.is(
      errnoOf(() => folder.makeDirectory([name, 'd'], 0o700)),
      'ENOTDIR',
    );
  }
  assert.is(
    errnoOf(() => folder.setPermissions(['file'], 0o777)),
    'EOPNOTSUPP',
  );
  folder.setTimes(['file'], { atime: 0n, mtime: 0n });

  assert.is(statSync(join(outside, 'secret')).mode & 0o777, 0o644);
  assert.ok(statSync(join(outside, 'secret')).mtimeMs > 0);
  assert.equal(readFileSync(join(outside, 'secret'), 'utf8'), 'secret');
});

folders('a hard link of a link is the link', ({ folder, inside, outside }) => {
  symlinkSync(join(outside, 'secret'), join(inside, 'file'));

  folder.link(['file'], ['second']);

  assert.ok(lstatSync(join(inside, 'second')).isSymbolicLink());
});

folders('a pipe or a device is never opened', async ({ folder, inside }) => {
  await runProcess('mkfifo', [join(inside, 'pipe')]);

  assert.is(
    errnoOf(() => folder.open(['pipe'], { writing: false })),
    'ENXIO',
  );
  assert.is(
    errnoOf(() => folder.open(['pipe'], { writing: true, create: 0o600 })),
    'ENXIO',
  );
});

folders('set-user-ID bits stay the host’s', ({ folder, inside }) => {
  const file = folder.open(['f'], { writing: true, create: 0o4755 });
  file.setPermissions(0o6711);
  folder.setPermissions(['f'], 0o4711);

  assert.is(statSync(join(inside, 'f')).mode & 0o7777, 0o711);
  file.close();
});

folders(
  'permissions are what the guest says, whatever mask this process has',
  ({ folder, inside }) => {
    const mask = process.umask(0o077);
    try {
      folder.open(['f'], { writing: true, create: 0o666 }).close();
      folder.makeDirectory(['d'], 0o777);
    } finally {
      process.umask(mask);
    }

    assert.is(statSync(join(inside, 'f')).mode & 0o777, 0o666);
    assert.is(statSync(join(inside, 'd')).mode & 0o777, 0o777);
  },
);

folders('errors are the host’s', ({ folder, inside }) => {
  mkdirSync(join(inside, 'd/e'), { recursive: true });
  writeFileSync(join(inside, 'f'), '');

  assert.is(
    errnoOf(() => folder.status(['no'])),
    'ENOENT',
  );
  assert.is(
    errnoOf(() => folder.status(['f', 'x'])),
    'ENOTDIR',
  );
  assert.is(
    errnoOf(() => folder.open(['d'], { writing: false })),
    'EISDIR',
  );
  assert.is(
    errnoOf(() => folder.removeDirectory(['d'])),
    'ENOTEMPTY',
  );
  assert.is(
    errnoOf(() => folder.makeDirectory(['d'], 0o700)),
    'EEXIST',
  );
  assert.is(
    errnoOf(() => folder.rename(['d'], ['d', 'e', 'x'])),
    'EINVAL',
  );
  assert.is(
    errnoOf(() => folder.link(['d'], ['l'])),
    'EPERM',
  );
  assert.is(
    errnoOf(() => folder.readLink(['f'])),
    'EINVAL',
  );
  assert.is(
    errnoOf(() => folder.status(['n'.repeat(256)])),
    'ENAMETOOLONG',
  );
  assert.is(
    errnoOf(() => folder.open(['f'], { writing: true, create: 0o600, exclusive: true })),
    'EEXIST',
  );
});

folders('times are kept to the microsecond, and one of two may stay', ({ folder, inside }) => {
  writeFileSync(join(inside, 'f'), '');
  folder.setTimes(['f'], { atime: 5_000_000_000n, mtime: 1_700_000_000_654_321_000n });
  folder.setTimes(['f'], { atime: undefined, mtime: 1_234_567_890_000_001_000n });

  const { atime, mtime } = folder.status(['f']);

  assert.equal([atime, mtime], [5_000_000_000n, 1_234_567_890_000_001_000n]);
});

folders('flush waits for the host, and a file may be closed meanwhile', async ({ folder }) => {
  const file = folder.open(['f'], { writing: true, create: 0o600 });
  file.write(0, new Uint8Array(10));
  const flushed = [file.flush('data'), file.flush('all'), folder.flush([])];
  file.close();

  await Promise.all(flushed);
});

folders('names are bytes, of whatever encoding', ({ folder, inside }) => {
  folder.makeDirectory(['\xff\xfe'], 0o700);
  mkdirSync(join(inside, 'ä'));

  assert.equal(
    folder
      .list([])
      .map(({ name }) => name)
      .sort(),
    ['\xc3\xa4', '\xff\xfe'],
  );
  assert.ok(folder.status(['\xc3\xa4']));
});

folders('a folder that is not there is told in one line', ({ outside }) => {
  assert.throws(
    () => openFolder(join(outside, 'no')),
    (error: unknown) => error instanceof UserError && /no such folder/.test(error.message),
  );
  assert.throws(
    () => openFolder(join(outside, 'secret')),
    (error: unknown) => error instanceof UserError && /not a folder/.test(error.message),
  );
});

/** Another process makes `d` a directory of ours, then a link to one that is not, again and again. */
const swap = `
import { renameSync, symlinkSync, mkdirSync } from 'node:fs';
process.chdir(process.argv[1]);
symlinkSync('../other', 'link');
for (;;) {
  renameSync('d', 'real'); renameSync('link', 'd');
  renameSync('d', 'link'); renameSync('real', 'd');
}`;

folders('renames during the walk lead nowhere else', async ({ folder, inside, outside }) => {
  mkdirSync(join(inside, 'd'));
  const swapping = spawn(process.execPath, ['--input-type=module', '-e', swap, inside]);
  const seen = new Set<string>();
  try {
    while (!existsSync(join(inside, 'link')) && !existsSync(join(inside, 'real')))
      await new Promise((resolve) => setTimeout(resolve, 5));
    for (let i = 0; i < 4000; i++) {
      seen.add(errnoOf(() => folder.open(['d', 'secret'], { writing: false })));
      seen.add(errnoOf(() => folder.unlink(['d', 'secret'])));
      const made = errnoOf(() =>
        folder.open(['d', 'made'], { writing: true, create: 0o600 }).close(),
      );
      if (made !== 'no error') seen.add(made);
    }
  } finally {
    swapping.kill();
    await new Promise((resolve) => swapping.on('exit', resolve));
  }

  for (const errno of seen) assert.ok(['ENOENT', 'ENOTDIR'].includes(errno), errno);
  assert.ok(existsSync(join(outside, 'other/secret')));
  assert.not.ok(existsSync(join(outside, 'other/made')));
});

folders.run();
