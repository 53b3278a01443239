/** Good images, damaged and booted: each is refused in one line or ends; never an error of ours, never a hang. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseImage } from '../../runtime/elf/image.ts';
import { boot, type Ending, UserError } from '../../runtime/index.ts';
import type { Width } from '../../toolchain/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { buildGuest } from '../support/guest.ts';
import { type Mutation, mutator } from '../support/mutate.ts';
import { isFull } from '../support/program.ts';
import { freshSeed, type Random, random } from '../support/random.ts';

const fuzz = suite('guests/fuzz');

/** The short tier repeats itself; the full one looks elsewhere each time. */
const seed = Number(process.env['SEED'] ?? (isFull ? freshSeed() : 1));
const smallBoots = isFull ? 2000 : 150;
const helloBoots = isFull ? 60 : 6;
const slowest = 20_000;
const mostMemory = 1.5 * 2 ** 30;

/** Little to translate, and something of everything: loops, calls, pointers, floats, threads, host calls, a switch. */
const source = `
  static int values[16] = { 3, 1, 2 };
  static int add(int a, int b) { return a + b; }
  static int take(int a, int b) { return a - b; }
  static int (*const table[])(int, int) = { add, take };
  static volatile int turn;
  static void worker(void *data) { turn++; print(data); msleep(5); turn++; }
  static int choose(int n) { switch (n) { case 0: return 9; case 1: return 4; case 2: return 7; case 3: return 1; case 4: return 8; case 5: return 6; } return n; }
  __attribute__((noinline)) static int fill(char *p, int n) { for (int i = 0; i < n; i++) p[i] = choose(i % 7) + i; return p[n / 2]; }
  int main(int argc, char **argv) {
    char buffer[64];
    double x = 1.5;
    int sum = 0;
    for (int i = 0; i < 16; i++) { values[i] = table[i & 1](values[i], i); sum += values[i] * values[(i * 7) & 15]; x = x * 1.25 + sum; }
    create_thread("worker", worker, "thread\\n");
    msleep(1);
    sum += fill(buffer, 64) + (int)x / (argc + 1);
    char *more = minios_sbrk(4096);
    more[100] = sum;
    minios_read(0, buffer, 10);
    minios_write(1, buffer, 3);
    return sum + turn + minios_openat(-2, "/tmp/a", 0x202, 0);
  }`;

/** Bytes of code: instructions that no compiler writes, jumps into the middle of others, into data, to nowhere. */
async function codeMutator(image: Uint8Array): Promise<(random: Random) => Mutation> {
  const { segments } = await parseImage(image, 'good.elf');
  const code = segments.find(({ executable }) => executable);
  if (code === undefined) throw new Error('the image has no code');
  return (numbers) => {
    const bytes = image.slice();
    const changes = Array.from({ length: 1 + numbers.below(8) }, () => {
      const at = code.fileOffset + numbers.below(code.bytes.length);
      const value = numbers.below(3) === 0 ? prefixes[numbers.below(prefixes.length)] : undefined;
      bytes[at] = value ?? numbers.below(256);
      return `${at}: ${bytes[at]?.toString(16)}`;
    });
    return { what: `code ${changes.join(', ')}`, bytes };
  };
}

/** First bytes of what is rare: prefixes, escapes, string instructions, x87, far jumps, interrupts. */
// biome-ignore format: a list of bytes
const prefixes = [0x0f, 0x66, 0xf2, 0xf3, 0xf0, 0x67, 0x2e, 0x64, 0x48, 0x41, 0xc4, 0xc5, 0xd9, 0xdd, 0xa4, 0xab, 0xe8, 0xe9, 0xeb, 0xff, 0xc3, 0xcd, 0xcf, 0xea, 0xf4];

interface Tally {
  refused: number;
  ended: number;
  readonly reasons: Set<string>;
}

/** Boots one image to its end, with a clock that jumps over every wait. */
async function attempt(bytes: Uint8Array, tally: Tally): Promise<void> {
  let ending: Ending;
  try {
    const domain = await boot(bytes, {
      ...{ name: 'damaged.elf', memory: 12 * 2 ** 20, budget: 20_000, clock: new FakeClock() },
    });
    domain.console.write('input');
    domain.console.end();
    ending = await domain.exited;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    assert.match(error.message, /^damaged\.elf: [^\n]+$/);
    assert.is(error.status, 125);
    tally.refused++;
    return;
  }
  tally.ended++;
  tally.reasons.add(ending.reason);
  assert.ok(ending.status >= 0 && ending.status <= 255);
  if (ending.reason === 'fault') assert.match(ending.report ?? '', /^damaged\.elf: /);
  assert.not.match(ending.report ?? '', /\.[jt]s:\d|wasm:/);
}

/** In milliseconds, of all threads: a loaded machine makes nothing slower by it. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function run(count: number, mutations: readonly ((random: Random) => Mutation)[]) {
  const numbers = random(seed);
  const tally: Tally = { refused: 0, ended: 0, reasons: new Set() };
  for (let index = 0; index < count; index++) {
    const mutate = mutations[index % mutations.length];
    if (mutate === undefined) throw new Error('no mutation');
    const { what, bytes } = mutate(numbers);
    const began = processorTime();
    await attempt(bytes, tally).catch((error: unknown) => {
      throw new Error(`SEED=${seed}: image ${index} (${what}): ${String(error)}`, { cause: error });
    });
    const took = processorTime() - began;
    assert.ok(
      took < slowest,
      `SEED=${seed}: image ${index} (${what}): ${took} ms of processor time`,
    );
  }
  const { rss } = process.memoryUsage();
  assert.ok(rss < mostMemory, `SEED=${seed}: ${Math.round(rss / 2 ** 20)} MiB are in use`);
  return tally;
}

for (const width of [64, 32] as const) {
  fuzz(`x86-${width}: a small image, damaged ${smallBoots} times (SEED=${seed})`, async () => {
    const image = buildGuest(source, width);

    const tally = await run(smallBoots, [mutator(image), await codeMutator(image)]);

    assert.ok(tally.refused > smallBoots / 20, `only ${tally.refused} were refused`);
    assert.ok(tally.ended > smallBoots / 4, `only ${tally.ended} ran`);
    assert.ok(tally.reasons.has('fault') && tally.reasons.has('exit'), [...tally.reasons].join());
  });

  fuzz(`x86-${width}: hello, damaged ${helloBoots} times (SEED=${seed})`, async () => {
    const image = hello(width);

    const tally = await run(helloBoots, [await codeMutator(image), mutator(image)]);

    assert.is(tally.refused + tally.ended, helloBoots);
  });
}

const hello = (width: Width): Uint8Array =>
  new Uint8Array(
    readFileSync(
      fileURLToPath(new URL(`../../../examples/hello-c/hello-${width}.elf`, import.meta.url)),
    ),
  );

fuzz.run();
