/** What tests of two programs do: natively, several at once, and of those that pass, each in a guest of its own. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { boot, type ModuleCache } from '../../../runtime/index.ts';
import { hastyClock } from '../../support/hasty-clock.ts';
import type { Side } from './images.ts';

export interface Verdict {
  readonly test: string;
  readonly passesNatively: boolean;
  /** Why it does not pass in the guest; '' where it does, or was not run because it does not natively. */
  readonly failure: string;
}

/** Polls that no test needs, so that none runs for ever. */
const budget = 300_000_000;
const memory = 64 * 2 ** 20;
/** Most of a test's time is spent asleep. */
const atOnce = 12;
const nativeTimeout = 20_000;

/** One after another, in order. */
export async function* judge(
  tests: readonly string[],
  native: Side,
  guest: Side,
): AsyncGenerator<Verdict> {
  const passing = await passNatively(tests, native);
  const image = new Uint8Array(readFileSync(guest.program));
  const cache = moduleCache();
  for (const [number, test] of tests.entries()) {
    const passesNatively = passing.has(number);
    const refusal = guest.refused.get(number);
    const failure = passesNatively ? (refusal ?? (await runGuest(image, number, cache))) : '';
    yield { test, passesNatively, failure };
  }
}

async function passNatively(tests: readonly string[], native: Side): Promise<ReadonlySet<number>> {
  const passing = new Set<number>();
  const waiting = tests.flatMap((_, number) => (native.refused.has(number) ? [] : [number]));
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      if (await passes(native.program, next)) passing.add(next);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return passing;
}

/** In a process group of its own, since tests send signals to their group. */
const passes = (program: string, number: number): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn(program, [String(number)], { stdio: 'ignore', detached: true });
    const timer = setTimeout(() => child.kill('SIGKILL'), nativeTimeout);
    child.on('error', () => resolve(false));
    child.on('exit', (status) => {
      clearTimeout(timer);
      resolve(status === 0);
    });
  });

async function runGuest(image: Uint8Array, number: number, cache: ModuleCache): Promise<string> {
  const domain = await boot(image, {
    ...{ name: 'posix.elf', arguments: [String(number)], memory, budget, cache },
    clock: hastyClock(),
  });
  domain.console.end();
  const { status, report = '' } = await domain.exited;
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
