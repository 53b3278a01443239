// Lets the game play a while, looks at the picture, a letter for every 8 × 10 pixels, and presses Escape.
import { readFileSync } from 'node:fs';
import { boot } from 'stubdom';

const image = new Uint8Array(readFileSync(process.argv[2] ?? 'game.elf'));
const options = { name: 'game', display: true, arguments: ['3000'] };
const { console, display, exited } = await boot(image, options);
const escapeKey = 1;

await console.expect('played\n');
const { screen, input } = display;
const { width, height } = screen;
const pixels = screen.pixels({ x: 0, y: 0, width, height });
input.key(escapeKey, true);
input.key(escapeKey, false);
const { status, report } = await exited;
process.stdout.write(console.text);
if (report !== undefined) process.stderr.write(`${report}\n`);
process.exitCode = status;

const names = {
  e64646: 'r',
  f0963c: 'o',
  f0dc50: 'y',
  '5ac85a': 'g',
  '4696e6': 'b',
  a064dc: 'v',
  dcdce6: '=',
  ffffff: '*',
};

/** The first colour with a name among the pixels. */
function letter(column, row) {
  for (let y = 10 * row; y < 10 * row + 10; y++)
    for (let x = 8 * column; x < 8 * column + 8; x++) {
      const at = 4 * (width * y + x);
      const name = names[Buffer.from(pixels.subarray(at, at + 3)).toString('hex')];
      if (name !== undefined) return name;
    }
  return ' ';
}

for (let row = 0; row < height / 10; row++) {
  const letters = Array.from({ length: width / 8 }, (_, column) => letter(column, row));
  process.stdout.write(`${letters.join('')}|\n`);
}
