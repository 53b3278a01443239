/** Mini-OS's block front-end, from C, on the real back-end. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryDisk } from '../../runtime/backends/block/memory-disk.ts';
import { boot } from '../../runtime/index.ts';
import { type Program, testFile, Workbench } from '../support/program.ts';

const block = suite<{ bench: Workbench }>('guests/block');

block.before((context) => {
  context.bench = new Workbench();
});
block.after(({ bench }) => bench.remove());

const program: Program = { files: [testFile('guests/minios/block.c')], options: ['-O2'] };

/** What each scene prints; printk comes first, since stdout is buffered. */
const scenes: Readonly<Record<string, string>> = {
  devices:
    'block error -1 for op 1\ndevice/vbd/9: no such device\n1 1, 128 1, read 0 the second, write -1\nnone 1\n',
  sectors: '0 wrong\n',
  many: 'block error -1 for op 0\n100 done, 0 failed, page 5a\nbeyond the end: 1 failed\nflushed: 1 failed, page 5a\n',
  waiters: '0 failed\n',
  again: '0 wrong\n',
  file: [
    '1 65536 128',
    'write: 5. write: 5. tell: 10. end: 65533. write: 3. full: No space left on device. read: 0. before: Invalid argument. start: 0. read: 65536. hello disk abc',
    'wrong: 0. all: 65536. differs: 0. fsync: 0. ftruncate: Invalid argument. poll: 1. ready: 5. shut down: I/O error. close: 0. ',
    'second: 11. write: Bad file number. duplicate: 1. close: 0. read: 1. close: 0. the second, again 1\n',
  ].join('\n'),
};

const budget = 100_000_000;

for (const width of [64, 32] as const)
  for (const [scene, printed] of Object.entries(scenes))
    block(`x86-${width}: ${scene}`, async ({ bench }) => {
      const image = new Uint8Array(readFileSync(await bench.image(program, width)));
      const second = new Uint8Array(65536);
      second.set(new TextEncoder().encode('the second'), 1024);
      const disks = [
        { vdev: 'xvda', disk: new MemoryDisk(new Uint8Array(65536)) },
        { vdev: 'xvdb', disk: new MemoryDisk(second, { isReadOnly: true }) },
      ];

      const guest = await boot(image, { name: 'guest.elf', arguments: [scene], disks, budget });
      guest.console.end();
      const ending = await guest.exited;

      assert.is(guest.console.text, printed, ending.report);
      assert.is(ending.status, 0);
    });

block.run();
