// Runs the image with a screen, and prints what it has drawn: a letter for every 8 × 10 pixels.
import { readFileSync } from 'node:fs';
import { boot } from 'stubdom';

const image = new Uint8Array(readFileSync(process.argv[2] ?? 'framebuffer.elf'));
const { console, display, exited } = await boot(image, { name: 'framebuffer', display: true });
const { status, report } = await exited;
process.stdout.write(console.text);
if (report !== undefined) process.stderr.write(`${report}\n`);
process.exitCode = status;

const { screen } = display;
const { width, height } = screen;
const pixels = screen.pixels({ x: 0, y: 0, width, height });

const names = { 303030: '#', ffd040: 'o', 206020: '%', 309030: '=' };

/** The pixel in the middle; what has no letter is sky. */
function letter(column, row) {
  const at = 4 * ((10 * row + 5) * width + 8 * column + 3);
  const colour = Buffer.from(pixels.subarray(at, at + 3)).toString('hex');
  return names[colour] ?? ' ';
}

for (let row = 0; row < height / 10; row++) {
  const letters = Array.from({ length: width / 8 }, (_, column) => letter(column, row));
  process.stdout.write(`${letters.join('')}|\n`);
}
