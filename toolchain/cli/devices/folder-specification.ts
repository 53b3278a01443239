/** `--fs /export=./dir[:ro]`: folders of the host that an application finds in its tree. */
import { UserError } from '../../../runtime/errors.ts';
import { openFolder } from '../../../runtime/host/node/host-folder.ts';
import type { MountedFolder } from '../../../runtime/minios/posix/posix.ts';

export interface FolderSpecification {
  /** In the guest. */
  readonly at: string;
  /** On the host. */
  readonly path: string;
  readonly isReadOnly: boolean;
}

export function parseFolderOption(text: string): FolderSpecification {
  const [, at, path, mode] = /^([^=]*)=(.*?)(:r[ow])?$/.exec(text) ?? [];
  if (at === undefined || path === undefined || path === '' || !isPlace(at))
    throw new UserError(`--fs ${text}: expected /PLACE=FOLDER[:ro], such as /export=./files`);
  return { at, path, isReadOnly: mode === ':ro' };
}

/** Somewhere below the root, spelled in the one way. */
const isPlace = (at: string): boolean =>
  /^(\/[^/]{1,255})+$/.test(at) && !/\/\.\.?(\/|$)/.test(at) && !at.includes('\0');

/** All of them, or none; `closeFolders` closes them. */
export function openFolders(specifications: readonly FolderSpecification[]): MountedFolder[] {
  const open: MountedFolder[] = [];
  try {
    for (const { at, path, isReadOnly } of specifications) {
      if (open.some((other) => other.at === at)) throw new UserError(`two folders at ${at}`);
      open.push({ at, folder: openFolder(path), isReadOnly });
    }
    return open;
  } catch (error) {
    closeFolders(open);
    throw error;
  }
}

export function closeFolders(folders: readonly MountedFolder[]): void {
  for (const { folder } of folders) folder.close();
}
