/**
 * Locks on open files by flock(2): they are the kernel's, so they end with the process however it ends, and taking one cannot
 * race. Node has no such call; util-linux's flock(1) takes the lock on a descriptor that it shares with us.
 */
import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

export type LockKind = 'shared' | 'exclusive';

export interface Holder {
  /** Undefined where the process may not be looked at. */
  readonly pid: number | undefined;
  readonly kind: LockKind | undefined;
}

/** Resolves with who holds a lock in our way; undefined: the lock is ours until the descriptor is closed. */
export async function lockFile(fd: number, kind: LockKind): Promise<Holder | undefined> {
  if (await tryLock(fd, kind)) return undefined;
  const holder = await findHolder(fd);
  if (holder !== undefined) return holder;
  // Perhaps it has just gone.
  return (await tryLock(fd, kind)) ? undefined : { pid: undefined, kind: undefined };
}

/** flock(1) exits with 1 where it would have to wait. */
function tryLock(fd: number, kind: LockKind): Promise<boolean> {
  const child = spawn('flock', [kind === 'shared' ? '-s' : '-x', '-n', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      if (status === 0 || (status === 1 && said === '')) resolve(status === 0);
      else reject(new Error(`flock: ${said.trim() || `exit status ${status}`}`));
    });
  });
}

/** Of all processes the one with a descriptor of this file whose fdinfo says that it has the lock (proc(5)). */
async function findHolder(fd: number): Promise<Holder | undefined> {
  const own = fstatSync(fd);
  for (const pid of (await list('/proc')).filter((name) => /^\d+$/.test(name)))
    for (const name of await list(join('/proc', pid, 'fd'))) {
      const file = await stat(join('/proc', pid, 'fd', name)).catch(() => undefined);
      if (file?.ino !== own.ino || file.dev !== own.dev) continue;
      const info = await readFile(join('/proc', pid, 'fdinfo', name), 'utf8').catch(() => '');
      const [, access] = /^lock:.*\bFLOCK\s+ADVISORY\s+(READ|WRITE)\b/m.exec(info) ?? [];
      if (access !== undefined)
        return { pid: Number(pid), kind: access === 'WRITE' ? 'exclusive' : 'shared' };
    }
  return undefined;
}

const list = (directory: string): Promise<string[]> => readdir(directory).catch(() => []);
