/** A folder of the host, made for one test, and mounted at /export in a guest's tree. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolder } from '../../runtime/host/node/host-folder.ts';
import type { MountedFolder } from '../../runtime/index.ts';

export async function withExportedFolder<T>(
  use: (directory: string, folders: readonly MountedFolder[]) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-export-'));
  const folder = openFolder(directory);
  try {
    return await use(directory, [{ at: '/export', folder, isReadOnly: false }]);
  } finally {
    folder.close();
    rmSync(directory, { recursive: true });
  }
}
