/**
 * Runs one compiled test file in a process group of its own: what it leaves behind, hangs in or breaks is its own.
 * What uvu prints at its end is the count; a file that prints none has run no test, which uvu itself lets pass.
 */
import { spawn } from 'node:child_process';

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly output: string;
  /** What went wrong beyond the tests that failed. */
  readonly trouble: string | undefined;
}

export interface FileOptions {
  readonly limitSeconds: number;
  readonly environment?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

/** Enough for every message of uvu's; a file that prints without end does not fill our memory. */
const outputKept = 2 ** 20;

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly isLate: boolean;
  readonly output: string;
}

export async function runTestFile(file: string, options: FileOptions): Promise<Outcome> {
  const start = performance.now();
  const ended = await runToEnd(file, options);
  const seconds = (performance.now() - start) / 1000;
  const summary = readSummary(ended.output);
  const { total, passed, skipped } = summary ?? { total: 0, passed: 0, skipped: 0 };
  const trouble = troubleOf(ended, options.limitSeconds, total, passed);
  const failed = Math.max(total - passed, trouble === undefined ? 0 : 1);
  return { passed, failed, skipped, seconds, output: ended.output, trouble };
}

function runToEnd(file: string, options: FileOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--enable-source-maps', file], {
      detached: true,
      env: { ...process.env, ...options.environment, FORCE_COLOR: undefined, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-outputKept);
      });
    let isLate = false;
    const stop = (): void => killGroup(child.pid);
    const watchdog = setTimeout(() => {
      isLate = true;
      stop();
    }, options.limitSeconds * 1000);
    options.signal?.addEventListener('abort', stop, { once: true });
    child.once('error', reject);
    child.once('exit', stop); // grandchildren would keep its pipes open
    child.once('close', (status, signal) => {
      clearTimeout(watchdog);
      options.signal?.removeEventListener('abort', stop);
      resolve({ status, signal, isLate, output });
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface Summary {
  readonly total: number;
  readonly passed: number;
  readonly skipped: number;
}

/** uvu's last summary; earlier text may be a guest's. */
function readSummary(output: string): Summary | undefined {
  const found = [
    ...output.matchAll(/^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)$/gm),
  ].at(-1);
  if (found === undefined) return undefined;
  return { total: Number(found[1]), passed: Number(found[2]), skipped: Number(found[3]) };
}

function troubleOf(
  { status, signal, isLate }: Ended,
  limit: number,
  total: number,
  passed: number,
): string | undefined {
  if (isLate) return `still running after ${limit} s, so it was killed`;
  if (signal !== null) return `killed by ${signal}`;
  if (total === 0)
    return status === 0
      ? 'it runs no test; does it end with .run()?'
      : `exit status ${status} before any test`;
  if (status !== 0 && passed === total) return `exit status ${status} though its tests passed`;
  return undefined;
}
