/** What the tests of two images do: natively, and in a guest that is booted again behind whatever ended it. */
import { readFileSync } from 'node:fs';
import { boot, type ModuleCache, type Tier } from '../../../runtime/index.ts';
import { runProcess } from '../../../toolchain/process.ts';
import type { Images } from './images.ts';

export interface Verdict {
  readonly test: string;
  readonly passesNatively: boolean;
  /** Where it fails in the guest, tier by tier, and why; empty also where it was not run because it fails natively. */
  readonly failures: readonly string[];
}

export const tiers = ['resumable', 'fast', 'adaptive'] as const satisfies readonly Tier[];

/** Polls that no test needs, so that none runs for ever. */
const budget = 1_000_000_000;
const memory = 128 * 2 ** 20;

export async function judge(images: Images): Promise<Verdict[]> {
  const numbers = images.tests.map((_, number) => number);
  const passing = await passNatively(images, numbers);
  const failures = images.tests.map((): string[] => []);
  for (const tier of tiers)
    for (const [number, why] of await failInGuest(images, passing, tier))
      failures[number]?.push(`${tier}: ${why}`);
  return images.tests.map((test, number) => ({
    test,
    passesNatively: passing.includes(number),
    failures: failures[number] ?? [],
  }));
}

async function passNatively(images: Images, numbers: readonly number[]): Promise<number[]> {
  const linked = numbers.filter((number) => !images.refusedNatively.has(name(images, number)));
  const { stdout, status } = await runProcess(images.native, linked.map(String));
  if (status !== 0) throw new Error(`the native driver ended with ${status}`);
  const statuses = new Map(events(stdout).map(({ test, status: ended }) => [test, ended]));
  return linked.filter((number) => statuses.get(number) === 0);
}

const name = (images: Images, number: number): string => images.tests[number] ?? '';

/** Why, by number. A test that fails behind others has failed only where it fails in a guest of its own, too. */
async function failInGuest(
  images: Images,
  numbers: readonly number[],
  tier: Tier,
): Promise<ReadonlyMap<number, string>> {
  const guest = new Guest(new Uint8Array(readFileSync(images.guest)), tier);
  const failures = new Map<number, string>();
  const waiting: number[] = [];
  for (const number of numbers) {
    const refusal = images.refusedByGuest.get(name(images, number));
    if (refusal === undefined) waiting.push(number);
    else failures.set(number, refusal);
  }
  while (waiting.length > 0) {
    const { passed, failed, why } = await guest.run(waiting);
    waiting.splice(0, passed + (failed === undefined ? 0 : 1));
    if (failed === undefined) continue;
    const alone = await guest.run([failed]);
    if (alone.failed !== undefined) failures.set(failed, alone.why);
    else process.stderr.write(`${name(images, failed)} failed behind others alone: ${why}\n`);
  }
  return failures;
}

interface Stretch {
  /** How many of them passed, from the first on. */
  readonly passed: number;
  /** The one that did not, where one did not. */
  readonly failed: number | undefined;
  readonly why: string;
}

class Guest {
  readonly #image: Uint8Array;
  readonly #tier: Tier;
  readonly #modules = new Map<string, Uint8Array>();
  readonly #cache: ModuleCache = {
    get: async (key) => this.#modules.get(key),
    put: async (key, bytes) => {
      this.#modules.set(key, bytes);
    },
  };

  constructor(image: Uint8Array, tier: Tier) {
    this.#image = image;
    this.#tier = tier;
  }

  /** Runs tests to the first that does not pass. */
  async run(numbers: readonly number[]): Promise<Stretch> {
    const domain = await boot(this.#image, {
      ...{ name: 'torture.elf', arguments: numbers.map(String), memory, budget },
      ...{ cache: this.#cache, tier: this.#tier },
    });
    domain.console.end();
    const { status, report = '' } = await domain.exited;
    const ends = events(domain.console.text);
    const bad = ends.findIndex((event) => event.status !== 0);
    if (bad >= 0) {
      const why = `it returns ${ends[bad]?.status}`;
      return { passed: bad, failed: numbers[bad], why };
    }
    const why = `status ${status}: ${report.split('\n').slice(0, 3).join(' | ')}`;
    return { passed: ends.length, failed: numbers[ends.length], why };
  }
}

interface Event {
  readonly test: number;
  readonly status: number;
}

/** What a driver printed between the output of the tests. */
const events = (output: string): Event[] =>
  [...output.matchAll(/^@ends (\d+) (\d+)$/gm)].map(([, test, status]) => ({
    test: Number(test),
    status: Number(status),
  }));
