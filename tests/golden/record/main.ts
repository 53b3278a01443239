/** `npm run golden [name[=part,…]…]`: records again what tests compare with, from this machine's CPU and compilers, and real Xen. */
import { recordBoots } from './boot-times.ts';
import { recordGrub } from './grub.ts';
import { recordHello } from './hello-c.ts';
import { recordThread } from './minios-thread.ts';
import { recordPv } from './pv.ts';
import { recordVectors } from './vectors.ts';

const recorders: Readonly<Record<string, (parts: readonly string[]) => Promise<void>>> = {
  vectors: recordVectors,
  'minios-thread': recordThread,
  'hello-c': recordHello,
  pv: recordPv,
  grub: recordGrub,
  'boot-times': recordBoots,
};

const named = new Map(
  process.argv.slice(2).map((word) => {
    const [name = '', parts] = word.split('=', 2);
    return [name, parts?.split(',') ?? []];
  }),
);
for (const [name, record] of Object.entries(recorders)) {
  if (named.size > 0 && !named.has(name)) continue;
  process.stdout.write(`recording ${name}\n`);
  await record(named.get(name) ?? []);
}
