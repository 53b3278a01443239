/** Gives a stretch of a file back to its file system (fallocate(2), FALLOC_FL_PUNCH_HOLE), by util-linux's fallocate(1). */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { XenError } from '../../errors.ts';

export function canPunchHoles(path = process.env['PATH'] ?? ''): boolean {
  return process.platform === 'linux' && path.split(delimiter).some(hasFallocate);
}

function hasFallocate(directory: string): boolean {
  try {
    accessSync(join(directory, 'fallocate'), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** EOPNOTSUPP where the file system knows no holes. The file keeps its length. */
export async function punchHole(fd: number, position: number, length: number): Promise<void> {
  // The child opens the file anew by a descriptor that is its own copy, so a name that has changed does not matter.
  const words = ['-p', '-o', String(position), '-l', String(length), '/proc/self/fd/3'];
  const child = spawn('fallocate', words, { stdio: ['ignore', 'ignore', 'pipe', fd] });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status === 0) return;
  const errno = /not supported/i.test(said) ? 'EOPNOTSUPP' : 'EIO';
  throw new XenError(errno, said.trim() || `fallocate: exit status ${status}`);
}
