/** Mini-OS's file system front-end, from C, on the fsif back-end. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TraceEvent } from '../../runtime/index.ts';
import { folderWith } from '../support/folder-with.ts';
import { type Program, testFile, Workbench } from '../support/program.ts';

const fs = suite<{ bench: Workbench }>('guests/fs');

fs.before((context) => {
  context.bench = new Workbench();
});
fs.after(({ bench }) => bench.remove());

const program: Program = { files: [testFile('guests/minios/fs.c')], options: ['-O2'] };

/** What each scene prints before the last line, which is the same for all. */
const scenes: Readonly<Record<string, string>> = {
  calls: `data, then fixed
open: 0. read: 12. hello world

read at: 5. write: 5. beyond: 0. stat: 0. 100644 12 1
chmod: 0. mode: 384. truncate: 0. sync: 0. close: 0. again: Bad file number. none: No such file or directory. read none: Bad file number. 
`,
  names: `directory: 0. twice: File exists. file: 0. write: 3. close: 0. rename: 0. . .. other 0
list: No such file or directory. full: Directory not empty. remove: 0. remove: 0. out: No such file or directory. link: 0. outside: No such file or directory. space: 1. long: File or path name too long. 
`,
  many: '202 names in 2 pages\n',
  'only-read':
    'read: 5. write: Read-only file system. create: Read-only file system. remove: Read-only file system. directory: 1. fixed\n',
  descriptors: `write: 300000. end: 300000. read: 300000. differs: 0. more: 0. pread: 1000. differs: 0. 1 300000
truncate: 0. fsync: 0. close: 0. exclusive: File exists. append: 3. size: 103. read: Bad file number. hello world

`,
  together: '0 wrong\n',
};

for (const width of [64, 32] as const)
  for (const [scene, printed] of Object.entries(scenes))
    fs(`x86-${width}: ${scene}`, async ({ bench }) => {
      const folder = folderWith('hello.txt', 'hello world\n');
      folder.makeLink(['link'], '/hello.txt');
      folder.makeLink(['outside'], '../../../etc/passwd');
      const fixed = folderWith('file', 'fixed');
      const exports = [
        { name: 'data', folder, isReadOnly: false },
        { name: 'fixed', folder: fixed, isReadOnly: true },
      ];
      const events: TraceEvent[] = [];

      const guest = await bench.bootGuest(program, width, [scene], {
        exports,
        trace: (event) => events.push(event),
      });
      guest.console.end();
      const { status, report } = await guest.exited;

      assert.is(guest.console.text, `${printed}again 1\n`, report);
      assert.is(status, 0);
      const lines = events.flatMap(({ kind, text }) => (kind === 'fs' ? [text] : []));
      assert.match(lines.at(-1) ?? '', /^vfs1\.0: FILE_OPEN \{id:0 gref:\d+\} = 0$/);
    });

fs('exports are their own domain’s, and go when it has ended', async ({ bench }) => {
  const folder = folderWith('hello.txt', 'hello world\n');

  const guest = await bench.bootGuest(program, 64, [], {
    exports: [{ name: 'data', folder, isReadOnly: false }],
  });
  const { store } = guest.tools;
  const path = '/local/domain/0/backend/vfs/exports';
  assert.equal(store.permissions(`${path}/0`), ['n0', 'r1']);
  guest.console.end();
  await guest.exited;

  assert.equal(store.directory(path), ['requests']);
});

fs.run();
