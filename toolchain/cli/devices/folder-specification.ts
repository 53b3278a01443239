/** `--fs /export=./dir[:ro]`: folders of the host, and disk images with a file system, that an application finds in its tree. */
import { UserError } from '../../../runtime/errors.ts';
import type { DiskMode } from '../../../runtime/host/node/file-disk.ts';

export interface FolderSpecification {
  /** In the guest. */
  readonly at: string;
  /** On the host. */
  readonly path: string;
  /** `cow` is for images. */
  readonly mode: DiskMode;
}

export function parseFolderOption(text: string): FolderSpecification {
  const [, at, path, mode] = /^([^=]*)=(.*?)(?::(ro|rw|cow))?$/.exec(text) ?? [];
  if (at === undefined || path === undefined || path === '' || !isPlace(at))
    throw new UserError(
      `--fs ${text}: expected /PLACE=FOLDER-OR-IMAGE[:ro|:cow], such as /export=./files`,
    );
  return { at, path, mode: mode === 'ro' || mode === 'cow' ? mode : 'rw' };
}

/** Somewhere below the root, spelled in the one way. */
const isPlace = (at: string): boolean =>
  /^(\/[^/]{1,255})+$/.test(at) && !/\/\.\.?(\/|$)/.test(at) && !at.includes('\0');
