/** `npm run golden [name…]`: records again what tests compare with, from this machine's CPU and compilers. */
import { recordHello } from './hello-c.ts';
import { recordThread } from './minios-thread.ts';
import { recordPv } from './pv.ts';
import { recordVectors } from './vectors.ts';

const recorders: Readonly<Record<string, () => Promise<void>>> = {
  vectors: recordVectors,
  'minios-thread': recordThread,
  'hello-c': recordHello,
  pv: recordPv,
};

const named = process.argv.slice(2);
for (const [name, record] of Object.entries(recorders)) {
  if (named.length > 0 && !named.includes(name)) continue;
  process.stdout.write(`recording ${name}\n`);
  await record();
}
