/** Damaged images: whatever they do, it is a refusal or an ending, never an error of ours, never a hang. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../runtime/errors.ts';
import { boot } from '../../runtime/machine.ts';
import { buildGuest } from '../support/guest.ts';
import { freshSeed, type Random, random } from '../support/random.ts';

const fuzz = suite('runtime/machine-fuzz');

/** Images a width; a seed can be given to repeat a run. */
const count = Number(process.env['STUBDOM_FUZZ'] ?? 100);
const seed = Number(process.env['STUBDOM_SEED'] ?? freshSeed());

const source = `
  static int factorial(int n) { return n < 2 ? 1 : n * factorial(n - 1); }
  volatile int five = 5;
  static void worker(void *data) { print(data); }
  int main(int argc, char **argv) {
    char buffer[32];
    for (int i = 0; i < 40; i++) buffer[i % 32] = factorial(i) + five;
    create_thread("worker", worker, "thread\\n");
    schedule();
    minios_read(0, buffer, 10);
    double x = five;
    return (int)(x * 1.5) + minios_openat(-2, "/tmp/a", 0x202, 0);
  }`;

/** Bits and bytes, in the headers, in the code, or anywhere. */
function damaged(image: Uint8Array, numbers: Random): Uint8Array {
  const bytes = image.slice();
  const [from, size] = [
    [0, 0x400],
    [0x1000, 0x300],
    [0, bytes.length],
  ][numbers.below(3)] ?? [0, bytes.length];
  for (let left = 1 + numbers.below(6); left > 0; left--) {
    const at = (from ?? 0) + numbers.below(size ?? 1);
    const old = bytes[at] ?? 0;
    if (at < bytes.length)
      bytes[at] = numbers.below(4) === 0 ? numbers.below(256) : old ^ (1 << numbers.below(8));
  }
  return bytes;
}

for (const width of [64, 32] as const)
  fuzz(
    `x86-${width}: ${count} damaged images are refused or end (STUBDOM_SEED=${seed})`,
    async () => {
      const good = buildGuest(source, width);
      const numbers = random(seed);
      let refused = 0;
      for (let i = 0; i < count; i++) {
        const began = process.cpuUsage();
        const bytes = damaged(good, numbers);
        try {
          const domain = await boot(bytes, { name: 'damaged', budget: 200_000 });
          domain.console.end();
          const { report = '' } = await domain.exited;
          assert.not.match(report, /\.[jt]s:\d/);
        } catch (error) {
          if (!(error instanceof UserError)) throw new Error(`image ${i}`, { cause: error });
          refused++;
        }
        const { user, system } = process.cpuUsage(began);
        assert.ok(user + system < 10_000_000, `image ${i} took too long`);
      }
      assert.ok(refused < count, 'some of them run');
    },
  );

fuzz.run();
