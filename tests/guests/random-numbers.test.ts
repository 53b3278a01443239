/** Random numbers are printed in a guest as glibc prints them, to the last digit, and read as glibc reads them, to the last bit. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isFull, type Program, testFile, Workbench } from '../support/program.ts';
import { freshSeed } from '../support/random.ts';

const randomNumbers = suite<{ bench: Workbench }>('guests/random-numbers');

randomNumbers.before((context) => {
  context.bench = new Workbench();
});
randomNumbers.after(({ bench }) => bench.remove());

const rounds = isFull ? 20 : 1;
const count = isFull ? 5000 : 1500;

for (const name of ['number-printing', 'number-reading'])
  for (const width of [64, 32] as const)
    randomNumbers(`x86-${width}: ${name}.c of ${rounds} times ${count}`, async ({ bench }) => {
      const program: Program = { files: [testFile(`guests/c/${name}.c`)], options: ['-O1'] };
      for (let round = 0; round < rounds; round++) {
        const seed = freshSeed();
        const input = { arguments: [String(seed), String(count)] };

        const guest = await bench.runGuest(program, width, input);
        const native = await bench.runNative(program, width, input);

        assert.equal([guest.status, native.status], [0, 0], `seed ${seed}`);
        const difference = firstDifference(guest.output, native.output);
        assert.is(difference, undefined, `seed ${seed}: ${difference}`);
      }
    });

/** The first line that is not the same in both, with that which says of what number it is. */
function firstDifference(guest: Buffer, native: Buffer): string | undefined {
  const [mine, theirs] = [guest, native].map((bytes) => bytes.toString('latin1').split('\n'));
  if (mine === undefined || theirs === undefined) return 'nothing';
  let title = '';
  for (let at = 0; at < Math.max(mine.length, theirs.length); at++) {
    if (theirs[at]?.startsWith('=')) title = theirs[at] ?? '';
    if (mine[at] !== theirs[at]) return `${title}: '${mine[at]}' and not '${theirs[at]}'`;
  }
  return undefined;
}

randomNumbers.run();
