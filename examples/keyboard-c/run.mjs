// Runs the image with a keyboard and a pointer, and uses them as a person would.
import { readFileSync } from 'node:fs';
import { boot } from 'stubdom';

const image = new Uint8Array(readFileSync(process.argv[2] ?? 'keyboard.elf'));
const { console, display, exited } = await boot(image, { name: 'keyboard', display: true });
const { input } = display;
const screen = { width: 640, height: 480 };

// Codes of Linux's input events.
const codes = { h: 35, e: 18, l: 38, o: 24, w: 17, r: 19, d: 32, 1: 2, ' ': 57 };
const [escapeKey, backspace, enter, shift, leftButton] = [1, 14, 28, 42, 272];

function press(code) {
  input.key(code, true);
  input.key(code, false);
}

await console.expect('type\n');
for (const letter of 'helloo') press(codes[letter]);
press(backspace);
for (const letter of ' world') press(codes[letter]);
input.key(shift, true);
press(codes[1]);
input.key(shift, false);
press(enter);
await console.expect('world!\n');
input.point(100, 50, screen);
press(leftButton);
press(escapeKey);

const { status, report } = await exited;
process.stdout.write(console.text);
if (report !== undefined) process.stderr.write(`${report}\n`);
process.exitCode = status;
