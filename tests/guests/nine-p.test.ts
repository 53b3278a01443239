/** Mini-OS's 9P front-end, from C, on the real back-end. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith } from '../support/folder-with.ts';
import { type Program, testFile, Workbench } from '../support/program.ts';

const nineP = suite<{ bench: Workbench }>('guests/nine-p');

nineP.before((context) => {
  context.bench = new Workbench();
});
nineP.after(({ bench }) => bench.remove());

const program: Program = { files: [testFile('guests/minios/nine-p.c')], options: ['-O2'] };

const deep = Array.from({ length: 20 }, (_, n) => String(n + 1));

/** What each scene prints before the last line, which is the same for all. */
const scenes: Readonly<Record<string, string>> = {
  files: `read: 12. hello world
seek: 6. write: 5. end: 12. more: 0. pread: 5. 100644 12 1
truncate: 0. fsync: 0. close: 0. none: No such file or directory. no directory: No such file or directory. exclusive: File exists. directory for writing: Is a directory. out: No such file or directory. a line
another
`,
  names: `mkdir: 0. twice: File exists. stat: 0. 100600
access: 0. rename: 0. gone: No such file or directory. full: Directory not empty. other folder: Cross-device link. unlink: 0. rmdir: 0. root: 0. a directory: 1. beside: No such file or directory. deep: 1. 
`,
  directories: `400 found, 2 dots, 0 others. again 1. new 1. close: 0. names: 1. hello.txt. none: No such file or directory. a file: Not a directory. its descriptor: Not a directory. 1. close: 0. twice: Bad file number. fixed: 3. file
`,
  big: 'write: 400000. read: 400000. differs: 0. 0 wrong\n',
  'only-read':
    'read: 5. write: Bad file number. for writing: Read-only file system. create: Read-only file system. unlink: Read-only file system. fixed\n',
  together: '0 wrong\n',
};

for (const width of [64, 32] as const)
  for (const [scene, printed] of Object.entries(scenes))
    nineP(`x86-${width}: ${scene}`, async ({ bench }) => {
      const folder = folderWith('hello.txt', 'hello world\n');
      for (let n = 1; n < deep.length; n++) folder.makeDirectory(deep.slice(0, n), 0o755);
      folder.open(deep, { writing: true, create: 0o644 }).close();
      const fixed = folderWith('file', 'fixed');

      const guest = await bench.bootGuest(program, width, [scene], {
        p9: [
          { tag: 'host', folder, isReadOnly: false },
          { tag: 'fixed', folder: fixed, isReadOnly: true },
        ],
      });
      guest.console.end();
      const { status, report } = await guest.exited;

      const none = 'device/9pfs/2: no such device\n';
      assert.is(guest.console.text, `${none}${printed}again 0 -1\n`, report);
      assert.is(status, 0);
    });

nineP.run();
