// Boots the image twice on one machine, and tells the second domain what the first one offers.
import { readFileSync } from 'node:fs';
import { Machine } from 'stubdom';

const image = new Uint8Array(readFileSync(process.argv[2] ?? 'events.elf'));
const machine = new Machine();

const first = await machine.boot(image, { name: 'first', arguments: ['offer', '2'] });
const [, grant, port] = /(\d+), port (\d+)/.exec(await first.console.expect(/grant .*\n/));
const words = ['take', String(first.id), grant, port];
const second = await machine.boot(image, { name: 'second', arguments: words });

for (const domain of [first, second]) {
  const { status, report } = await domain.exited;
  // The numbers in the first line are the machine's business.
  const lines = domain.console.text.split('\n').filter((line) => !line.startsWith('grant'));
  for (const line of lines.slice(0, -1)) process.stdout.write(`${domain.name}: ${line}\n`);
  if (report !== undefined) process.stderr.write(`${report}\n`);
  process.exitCode ||= status;
}
