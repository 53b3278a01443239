/** What tests of two programs do: natively, several at once, and of those that pass, each in a guest of its own. Each has a time limit. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { boot, type ModuleCache } from '../../../runtime/index.ts';
import { hastyClock } from '../../support/hasty-clock.ts';
import type { Side } from './images.ts';
import { exceptions } from './suite.ts';

export interface Verdict {
  readonly test: string;
  readonly passesNatively: boolean;
  /** Why it does not pass in the guest; '' where it does, or was not run because it does not natively. */
  readonly failure: string;
}

/** Polls that no test needs, so that none runs for ever; and seconds, for one that sleeps for ever. */
const budget = 300_000_000;
const guestTimeout = 300_000;
const memory = 64 * 2 ** 20;
/** Most of a test's time is spent asleep. */
const atOnce = 12;
const nativeTimeout = 20_000;

/** Numbers of those that pass. */
export async function passNatively(
  { program, refused }: Side,
  count: number,
): Promise<Set<number>> {
  const passing = new Set<number>();
  const waiting = Array.from({ length: count }, (_, n) => n).filter((n) => !refused.has(n));
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      if (await passes(program, next)) passing.add(next);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return passing;
}

/** Some compare times with each other, which a loaded machine upsets now and then. */
const mostTries = 3;

/** One after another, in order. */
export async function* judge(
  tests: readonly string[],
  passing: ReadonlySet<number>,
  { program, refused }: Side,
): AsyncGenerator<Verdict> {
  const image = new Uint8Array(readFileSync(program));
  const cache = moduleCache();
  const excused = exceptions();
  for (const [number, test] of tests.entries()) {
    const passesNatively = passing.has(number);
    const refusal = refused.get(number);
    const tries = excused.has(test) ? 1 : mostTries;
    const failure = passesNatively
      ? (refusal ?? (await tryGuest(image, number, cache, tries)))
      : '';
    yield { test, passesNatively, failure };
  }
}

async function tryGuest(
  image: Uint8Array,
  number: number,
  cache: ModuleCache,
  tries: number,
): Promise<string> {
  const failure = await runGuest(image, number, cache);
  return failure === '' || tries <= 1 ? failure : tryGuest(image, number, cache, tries - 1);
}

/** The superuser may set the machine's clock and run before everything else, as tests do; nobody wants that of a test. */
const harmless = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-sys_time,-sys_nice'] : [];

/** In a process group of its own, since tests send signals to their group, and leave processes behind. */
const passes = (program: string, number: number): Promise<boolean> =>
  new Promise((resolve) => {
    const [command = '', ...words] = [...harmless, program, String(number)];
    const child = spawn(command, words, { stdio: 'ignore', detached: true });
    const timer = setTimeout(() => killGroup(child.pid), nativeTimeout);
    child.on('error', () => resolve(false));
    child.on('exit', (status) => {
      clearTimeout(timer);
      killGroup(child.pid);
      resolve(status === 0);
    });
  });

function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // nobody of it is left
  }
}

async function runGuest(image: Uint8Array, number: number, cache: ModuleCache): Promise<string> {
  const domain = await boot(image, {
    ...{ name: 'posix.elf', arguments: [String(number)], memory, budget, cache },
    clock: hastyClock(),
  });
  domain.console.end();
  const timer = setTimeout(() => domain.stop(), guestTimeout);
  const { status, report = '' } = await domain.exited;
  clearTimeout(timer);
  if (status === 0) return '';
  const said = domain.console.text.trim().split('\n').slice(-2);
  return [`status ${status}`, ...report.split('\n').slice(0, 2), ...said].join(' | ');
}

function moduleCache(): ModuleCache {
  const modules = new Map<string, Uint8Array>();
  return {
    get: async (key) => modules.get(key),
    put: async (key, bytes) => {
      modules.set(key, bytes);
    },
  };
}
