/** Open files of an image's own, from C. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boot } from '../../runtime/index.ts';
import { type Program, testFile, Workbench } from '../support/program.ts';

const objects = suite<{ bench: Workbench }>('guests/objects');

objects.before((context) => {
  context.bench = new Workbench();
});
objects.after(({ bench }) => bench.remove());

const program: Program = { files: [testFile('guests/minios/objects.c')], options: ['-O2'] };

const printed = `descriptor 3, kind 16, flags 1
poll 1: 0 4
flags 4002, read -1 No more processes
poll 1: 1
read 3 aaa
write 1, next x
write -1 Broken pipe
ioctl 0: x
lseek -1 Illegal seek
fstat 0, a socket: 1
terminal 0, pread -1
closed 0
closed 1, read -1 Bad file number
kind 1: -22
nowhere: -14
`;

for (const width of [64, 32] as const)
  objects(`x86-${width}: descriptors of an object reach its calls`, async ({ bench }) => {
    const image = new Uint8Array(readFileSync(await bench.image(program, width)));

    const guest = await boot(image, { name: 'guest.elf', budget: 100_000_000 });
    guest.console.end();
    const ending = await guest.exited;

    assert.is(guest.console.text, printed, ending.report);
    assert.is(ending.status, 0);
  });

objects.run();
