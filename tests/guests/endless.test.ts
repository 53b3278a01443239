/** A guest that never ends can be stopped wherever it is, and the host's event loop has its turns meanwhile. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../runtime/domain/clock.ts';
import { boot, type Tier } from '../../runtime/index.ts';
import { buildGuest } from '../support/guest.ts';

const test = suite('guests/endless');

const tiers: readonly Tier[] = ['resumable', 'fast', 'adaptive'];
const writable = ['-Wl,-N', '-Wl,-Bdynamic'];

/**
 * On an idle machine it is 2 to 4; V8's own threads, which compile what has just been translated, and other processes that
 * share the caches come on top of it.
 */
const mostMilliseconds = 16;

interface Row {
  readonly name: string;
  readonly source: string;
  readonly options?: readonly string[];
}

const word = (width: 64 | 32): string => (width === 64 ? 'r' : 'e');

// biome-ignore format: a table
const rows = (width: 64 | 32): readonly Row[] => [
  { name: 'a jump to itself', source: 'int main(void) { for (;;) ; }' },
  { name: 'a loop that calls', source: `__attribute__((noinline)) static void leaf(void) { __asm__ volatile(""); }
      int main(void) { for (;;) leaf(); }` },
  { name: 'two functions that jump to each other', source: `int main(void) {
      __asm__ volatile("jmp 1f\\n.globl one, two\\none: jmp two\\n.balign 64\\ntwo: jmp one\\n1: jmp one"); return 0; }` },
  { name: 'a computed jump to itself', source: `int main(void) { __asm__ volatile("1: mov $1b,%eax\\njmp *%${word(width)}ax"); return 0; }` },
  { name: 'a repeated store that is huge, again and again', source: `static char space[64 << 20];
      int main(void) { for (;;) __builtin_memset(space, 1, sizeof space); }`, options: ['-minline-all-stringops', '-mstringop-strategy=rep_byte'] },
  { name: 'stores beside its own code', source: `__asm__(".text\\ncount: .long 0\\n"); extern volatile int count;
      int main(void) { for (;;) count++; }`, options: writable },
  { name: 'code that changes itself', source: `int main(void) { __asm__ volatile("1: incb 2f+1\\n2: mov $1,%al\\njmp 1b"); return 0; }`, options: writable },
  { name: 'floats whose flags are read', source: `int main(void) { unsigned control; float x = 1, y = 3;
      for (;;) { __asm__ volatile("divss %1,%0\\nstmxcsr %2" : "+x"(x), "+x"(y), "=m"(control)); } }` },
  { name: 'timestamps', source: 'int main(void) { for (;;) __builtin_ia32_rdtsc(); }' },
  { name: 'host calls', source: 'int main(void) { for (;;) minios_write(1, "", 0); }' },
];

for (const width of [64, 32] as const)
  for (const { name, source, options = [] } of rows(width))
    test(`x86-${width}: ${name} is sliced and stopped, in every tier`, async () => {
      const image = buildGuest(source, width, options);

      for (const tier of tiers) {
        const clock = systemClock();
        /** Processor time between turns of the event loop; wall time would count other processes. */
        const slices: number[] = [];
        let since = process.cpuUsage();
        const turn = async (): Promise<void> => {
          const { user, system } = process.cpuUsage(since);
          slices.push((user + system) / 1000);
          if (slices.length === 30) domain.stop();
          await clock.turn();
          since = process.cpuUsage();
        };
        const domain = await boot(image, {
          name: 'x',
          tier,
          memory: 2 ** 28,
          clock: { ...clock, turn },
        });
        const { status, reason } = await domain.exited;

        assert.equal([status, reason], [130, 'stopped'], tier);
        const later = slices.slice(10).sort((a, b) => a - b);
        const most = later[Math.floor(later.length / 2)] ?? 0;
        assert.ok(most < mostMilliseconds, `${tier}: half of the slices take more than ${most} ms`);
      }
    });

test.run();
