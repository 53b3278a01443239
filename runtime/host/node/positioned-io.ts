/** Rows of buffers from and to a place in a file, at once. What the host refuses is a XenError with its errno. */
import { readSync, readvSync, writeSync, writevSync } from 'node:fs';
import { XenError } from '../../errors.ts';

export interface OpenedFile {
  readonly fd: number;
  /** In reports. */
  readonly path: string;
}

type Way = 'read' | 'written';

/**
 * How many bytes were moved: fewer than there are where the file ends. The kernel may take or give less than asked for at once, at
 * more than 1024 buffers, too.
 */
export function transferAt(
  file: OpenedFile,
  what: Way,
  position: number,
  buffers: readonly Uint8Array[],
): number {
  let rest = buffers;
  let at = position;
  while (rest.length > 0) {
    const count = once(file, what, at, rest);
    at += count;
    if (count === 0 && rest.some(({ length }) => length > 0)) break;
    rest = without(rest, count);
  }
  return at - position;
}

function once(
  { fd, path }: OpenedFile,
  what: Way,
  at: number,
  buffers: readonly Uint8Array[],
): number {
  const [first, ...others] = buffers;
  if (first === undefined) return 0;
  try {
    if (what === 'read')
      return others.length === 0
        ? readSync(fd, first, 0, first.length, at)
        : readvSync(fd, buffers, at);
    return others.length === 0
      ? writeSync(fd, first, 0, first.length, at)
      : writevSync(fd, buffers, at);
  } catch (error) {
    throw failed(path, what, error);
  }
}

export function failed(path: string, what: string, error: unknown): XenError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new XenError(code ?? 'EIO', `${path}: cannot be ${what}: ${message}`);
}

/** What is left of buffers when their first `count` bytes are done. */
function without(buffers: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  for (const [n, buffer] of buffers.entries()) {
    if (left < buffer.length) return [buffer.subarray(left), ...buffers.slice(n + 1)];
    left -= buffer.length;
  }
  return [];
}
