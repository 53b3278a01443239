/** Calls of the Mini-OS API at random: each guest ends as guests do, never by an error of ours. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Machine } from '../../runtime/index.ts';
import { type ApiRow, api } from '../../runtime/minios/api.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { buildGuest } from '../support/guest.ts';
import { isFull } from '../support/program.ts';
import { freshSeed } from '../support/random.ts';

const fuzz = suite('guests/api-fuzz');

const seed = Number(process.env['SEED'] ?? (isFull ? freshSeed() : 1)) >>> 0;
const boots = isFull ? 300 : 12;

/** What ends the guest, or waits for what never comes, at once. */
const left = new Set([
  'minios_exit',
  'minios_abort',
  'exit_thread',
  'minios_callback_return',
  'minios_store_event',
  'block',
]);

const rows = Object.entries<ApiRow>(api).flatMap(([name, row]) =>
  'prototype' in row && !left.has(name) ? [{ name, row }] : [],
);
/** Those that stop a guest which gives them something bad, and those through which it may run anywhere; called seldom. */
const fragile = rows.filter(
  ({ name, row }) =>
    !row.answersErrno && (/[*]|gnttab_end/.test(row.prototype) || /handler|map_gr/.test(name)),
);
const robust = rows.filter((row) => !fragile.includes(row));
const functions = [...robust, ...fragile].map(({ name }) => name);

/** Numbers that are likely to be something: descriptors, ports, references, addresses of the arena, and bad ones. */
const source = `
  typedef unsigned long word;
  static word state;
  static word next(void) { state = state * 1103515245u + 12345u; return (state >> 16) & 0x7fff; }
  static char arena[65536] __attribute__((aligned(4096)));
  static word frame;
  static void handler(unsigned port, void *regs, void *data) { (void)port; (void)regs; (void)data; }
  static word value(void) {
    switch (next() % 16) {
      case 0: case 1: case 2: case 3: case 4: case 5: return (word)(arena + next() * 2);
      case 6: return (word)(arena + (next() & 15) * 4096);
      case 7: return (word)handler;
      case 8: return frame + next() % 64;
      case 9: return 0x40000000ul + (next() & 63) * 4096;
      case 10: return next() % 2 ? 0x7ff0 : 1;
      case 11: return next() % 3 == 0 ? -next() : (word)-1 << (next() % 32);
      default: return next() % (1 << (next() % 13));
    }
  }
  static void (*const calls[])(void) = { ${functions.map((name) => `(void (*)(void))${name}`).join(', ')} };
  int main(int argc, char **argv) {
    for (char *at = argv[1]; *at != 0; at++) state = state * 10 + (*at - '0');
    frame = minios_virt_to_mfn(arena);
    for (int i = 0; i < 3000; i++) {
      word (*call)(word, word, word, word, word, word, word, word) = (void *)calls[next() % 512 == 0 ? next() % ${functions.length} : next() % ${robust.length}];
      word a = value(), b = value(), c = value(), d = value(), e = value(), f = value();
      call(a, b, c, d, e, f, value(), value());
    }
    return 77;
  }`;

for (const width of [64, 32] as const)
  fuzz(`x86-${width}: ${boots} guests that call anything (SEED=${seed})`, async () => {
    const image = buildGuest(source, width);
    const called = new Set<string>();

    for (let i = 0; i < boots; i++) {
      const machine = new Machine({ clock: new FakeClock() });
      const domain = await machine.boot(image, {
        ...{ name: 'guest.elf', memory: 8 * 2 ** 20, budget: 2_000_000 },
        arguments: [String(seed * 1000 + i)],
        trace: ({ kind, text }) => {
          if (kind === 'hostCall') called.add(/^\w+/.exec(text)?.[0] ?? '');
        },
      });
      domain.console.write('some input');
      domain.console.end();
      // One that waits for another domain waits for ever.
      const patience = setTimeout(() => domain.stop(), 2000);
      const ending = await domain.exited.catch((error: unknown) => {
        throw new Error(`SEED=${seed}: guest ${i}: ${String(error)}`, { cause: error });
      });

      assert.not.match(ending.report ?? '', /\.[jt]s:\d|wasm:/, `SEED=${seed}: guest ${i}`);
      clearTimeout(patience);
    }

    const missing = functions.filter((name) => !called.has(name));
    assert.ok(missing.length < functions.length / 4, `never called: ${missing.join()}`);
  });

fuzz.run();
