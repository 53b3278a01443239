/** The user's cache: where it is, directories that appear in it whole or not at all, and its locks. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../runtime/errors.ts';
import { makeDirectory } from '../runtime/host/node/make-directory.ts';

export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const { STUBDOM_CACHE, XDG_CACHE_HOME } = environment;
  if (STUBDOM_CACHE) return STUBDOM_CACHE;
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'stubdom');
}

/**
 * Makes `directory` by filling a temporary one beside it, renamed into place at the end. One process at a time fills it;
 * others wait for it. A lock whose process is gone is taken over; should two take it over at once, both fill
 * temporaries of their own and the later rename is dropped, so the lock saves work and correctness does not rest on it.
 * True where this call has filled it.
 */
export async function makeOnce(
  directory: string,
  fill: (temporary: string) => Promise<void>,
  options: Waiting = {},
): Promise<boolean> {
  const lock = `${directory}.lock`;
  const temporary = `${directory}.tmp-${process.pid}`;
  writable(() => makeDirectory(dirname(directory)), directory);
  if (!(await acquire(lock, directory, options))) return false;
  try {
    removeAbandoned(directory);
    writable(() => mkdirSync(temporary), directory);
    await fill(temporary);
    moveInto(temporary, directory);
    return true;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
    rmSync(lock, { force: true });
  }
}

interface Waiting {
  readonly signal?: AbortSignal | undefined;
  /** Is told which process has the lock, once. */
  readonly onWait?: (pid: number) => void;
}

/** Works while no other process, nor another call of this one, works under the same lock, a file of the cache. */
export async function alone<Result>(
  lock: string,
  work: () => Promise<Result>,
  options: Waiting = {},
): Promise<Result> {
  const directory = dirname(lock);
  writable(() => makeDirectory(directory), directory);
  await takeLock(lock, directory, options);
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** True when the lock is ours, false when another process has made the directory meanwhile. */
async function acquire(lock: string, directory: string, options: Waiting): Promise<boolean> {
  await takeLock(lock, directory, options);
  if (!existsSync(directory)) return true;
  rmSync(lock, { force: true });
  return false;
}

async function takeLock(
  lock: string,
  directory: string,
  { signal, onWait }: Waiting,
): Promise<void> {
  let told = false;
  while (!tryLock(lock, directory)) {
    signal?.throwIfAborted();
    const pid = holder(lock);
    if (pid === 'gone') rmSync(lock, { force: true });
    else if (pid !== 'unknown' && !told) {
      onWait?.(pid);
      told = true;
    }
    await sleep(pid === 'gone' ? 0 : 200, undefined, signal ? { signal } : {});
  }
}

function tryLock(lock: string, directory: string): boolean {
  try {
    writeFileSync(lock, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cannotWrite(directory, error);
  }
}

const UNSIGNED_LOCK_LASTS_MS = 10_000;

/** The process that has the lock; a lock that nobody signed was left by one killed in between. */
function holder(lock: string): number | 'gone' | 'unknown' {
  try {
    const pid = Number.parseInt(readFileSync(lock, 'utf8'), 10);
    if (Number.isInteger(pid)) return isGone(pid) ? 'gone' : pid;
    return Date.now() - statSync(lock).mtimeMs > UNSIGNED_LOCK_LASTS_MS ? 'gone' : 'unknown';
  } catch {
    return 'unknown'; // released between our look and now
  }
}

function isGone(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Temporaries of processes that were killed. */
function removeAbandoned(directory: string): void {
  const prefix = `${basename(directory)}.tmp-`;
  for (const name of readdirSync(dirname(directory))) {
    if (name.startsWith(prefix) && isGone(Number(name.slice(prefix.length))))
      rmSync(join(dirname(directory), name), { recursive: true, force: true });
  }
}

function moveInto(temporary: string, directory: string): void {
  try {
    renameSync(temporary, directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw cannotWrite(directory, error);
  }
}

function writable<T>(act: () => T, directory: string): T {
  try {
    return act();
  } catch (error) {
    throw cannotWrite(directory, error);
  }
}

export function cannotWrite(path: string, cause: unknown): UserError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new UserError(
    `cannot write ${path}: ${code ?? message}; STUBDOM_CACHE=DIRECTORY names another cache`,
    { cause },
  );
}
