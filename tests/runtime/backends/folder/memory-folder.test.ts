/** A folder in memory, called as the tree of an application calls it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { S_IF } from '../../../../runtime/backends/folder/folder.ts';
import { MemoryFolder } from '../../../../runtime/backends/folder/memory-folder.ts';
import { errnoOf } from '../../../support/errno-of.ts';

const folders = suite('runtime/backends/folder/memory-folder');

/** A clock that ticks once each time it is asked. */
function folder(): MemoryFolder {
  let now = 1000n;
  return new MemoryFolder(() => now++);
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function written(into: MemoryFolder, name: string, value: string): void {
  const file = into.open([name], { writing: true, create: 0o644 });
  file.write(0, text(value));
  file.close();
}

folders('a file keeps what is written, and a gap reads as zeros', () => {
  const root = folder();
  const file = root.open(['f'], { writing: true, create: 0o600 });
  file.write(2, text('ab'));
  const bytes = new Uint8Array(8).fill(9);

  assert.is(file.read(0, bytes), 4);
  assert.equal([...bytes], [0, 0, 97, 98, 9, 9, 9, 9]);
  assert.is(file.read(100, bytes), 0);
  assert.is(root.status(['f']).size, 4n);
});

folders('what was cut off is zeros when the file grows again', () => {
  const file = folder().open(['f'], { writing: true, create: 0o600 });
  file.write(0, text('abcd'));
  const bytes = new Uint8Array(4);

  file.setLength(1);
  file.setLength(4);
  file.read(0, bytes);

  assert.equal([...bytes], [97, 0, 0, 0]);
});

folders('an unlinked file lives on while it is open, and gives its room back then', () => {
  const root = folder();
  const before = root.space().freeBlocks;
  const file = root.open(['f'], { writing: true, create: 0o600 });
  file.write(0, new Uint8Array(100_000));

  root.unlink(['f']);
  assert.is(file.read(0, new Uint8Array(10)), 10);
  assert.is(file.status().nlink, 0);
  assert.ok(root.space().freeBlocks < before);
  file.close();

  assert.is(root.space().freeBlocks, before);
});

folders('names are counted, so that empty files use up room as well', () => {
  const root = folder();

  const filled = (): void => {
    for (let i = 0; ; i++) root.makeLink([`l${i}`], 'x'.repeat(4000));
  };

  assert.is(errnoOf(filled), 'ENOSPC');
});

folders('a hard link is the same file; the count of links says how many there are', () => {
  const root = folder();
  written(root, 'a', 'text');

  root.link(['a'], ['b']);
  root.unlink(['a']);

  assert.is(root.status(['b']).nlink, 1);
  assert.is(
    errnoOf(() => root.status(['a'])),
    'ENOENT',
  );
  assert.is(
    errnoOf(() => root.link(['b'], ['b'])),
    'EEXIST',
  );
});

folders('a socket is a name that cannot be opened', () => {
  const root = folder();
  root.makeSocket(['s'], 0o640);

  assert.is(root.status(['s']).mode, S_IF.SOCK | 0o640);
  assert.is(
    errnoOf(() => root.open(['s'], { writing: true })),
    'ENXIO',
  );
  assert.is(
    errnoOf(() => root.makeSocket(['s'], 0)),
    'EEXIST',
  );
  root.unlink(['s']);
  assert.equal(root.list([]), []);
});

folders('a link is never followed', () => {
  const root = folder();
  root.makeLink(['l'], '/else/where');

  assert.is(root.readLink(['l']), '/else/where');
  assert.is(root.status(['l']).mode & S_IF.MT, S_IF.LNK);
  assert.is(
    errnoOf(() => root.open(['l'], { writing: false })),
    'ELOOP',
  );
  assert.is(
    errnoOf(() => root.list(['l'])),
    'ENOTDIR',
  );
});

folders('directories: what is refused, and what they count', () => {
  const root = folder();
  root.makeDirectory(['d'], 0o755);
  root.makeDirectory(['d', 'e'], 0o755);
  written(root, 'f', '');

  assert.is(root.status(['d']).nlink, 3);
  assert.is(
    errnoOf(() => root.removeDirectory(['d'])),
    'ENOTEMPTY',
  );
  assert.is(
    errnoOf(() => root.unlink(['d'])),
    'EISDIR',
  );
  assert.is(
    errnoOf(() => root.rename(['d'], ['d', 'e', 'x'])),
    'EINVAL',
  );
  assert.is(
    errnoOf(() => root.rename(['d'], ['f'])),
    'ENOTDIR',
  );
  assert.is(
    errnoOf(() => root.rename(['f'], ['d'])),
    'EISDIR',
  );
  assert.is(
    errnoOf(() => root.open(['d'], { writing: true })),
    'EISDIR',
  );
  assert.is(
    errnoOf(() => folder().removeDirectory([])),
    'EBUSY',
  );
  assert.equal(
    root.list(['d']).map(({ name }) => name),
    ['e'],
  );
});

folders('times move as POSIX says: reading, writing, renaming', () => {
  const root = folder();
  written(root, 'f', 'x');
  const made = root.status(['f']);

  root.rename(['f'], ['g']);
  const renamed = root.status(['g']);
  root.setTimes(['g'], { atime: undefined, mtime: 5n });
  const set = root.status(['g']);

  assert.is(renamed.mtime, made.mtime);
  assert.ok(renamed.ctime > made.ctime);
  assert.equal([set.atime, set.mtime], [made.atime, 5n]);
});

folders.run();
