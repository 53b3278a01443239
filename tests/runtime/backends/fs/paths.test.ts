/** Paths of fsif's requests: links within the folder, and no way out of it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryFolder } from '../../../../runtime/backends/folder/memory-folder.ts';
import { resolve } from '../../../../runtime/backends/fs/paths.ts';

const test = suite('runtime/backends/fs/paths');

function linked(): MemoryFolder {
  const folder = new MemoryFolder(() => 0n);
  folder.makeDirectory(['a'], 0o755);
  folder.makeDirectory(['a', 'b'], 0o755);
  folder.makeLink(['to-b'], 'a/./b');
  folder.makeLink(['a', 'b', 'up'], '../../..//a');
  folder.makeLink(['a', 'root'], '/a/b');
  folder.makeLink(['loop'], 'loop');
  return folder;
}

test('a path is names from the root, whatever its dots and slashes', () => {
  const folder = linked();
  assert.equal(resolve(folder, '/a//./b/', 'follow'), ['a', 'b']);
  assert.equal(resolve(folder, '../../a/../x/y', 'follow'), ['x', 'y']);
  assert.equal(resolve(folder, '', 'follow'), []);
});

test('links lead on, from where they are or from the root, and never out', () => {
  const folder = linked();
  assert.equal(resolve(folder, 'to-b/x', 'follow'), ['a', 'b', 'x']);
  assert.equal(resolve(folder, 'to-b/up/root', 'follow'), ['a', 'b']);
  assert.equal(resolve(folder, 'to-b', 'follow'), ['a', 'b']);
  assert.equal(resolve(folder, 'to-b', 'keep'), ['to-b']);
  assert.equal(resolve(folder, 'a/root/x', 'keep'), ['a', 'b', 'x']);
});

test('a circle of links ends', () => {
  const error = /40 links/;
  assert.throws(() => resolve(linked(), 'loop', 'follow'), error);
});

test.run();
