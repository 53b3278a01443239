/** A saved domain in a file: under its name only once all of it is there, so that nobody takes a part for the whole. */
import { open, rename, rm } from 'node:fs/promises';
import { UserError } from '../../errors.ts';

export async function saveDomainTo(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const partial = `${path}.part`;
  try {
    const file = await open(partial, 'w', 0o600);
    try {
      for (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true });
    if (cause instanceof UserError || !(cause instanceof Error) || !('code' in cause)) throw cause;
    throw new UserError(`${path}: ${cause.message}`, { cause });
  }
}
