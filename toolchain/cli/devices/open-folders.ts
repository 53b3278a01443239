/** Opens what `--fs` names: folders of the host, and disk images with an ext2 file system, which are locked meanwhile. */
import { statSync } from 'node:fs';
import { UserError } from '../../../runtime/errors.ts';
import { openFolder } from '../../../runtime/host/node/host-folder.ts';
import type { MountedFolder } from '../../../runtime/minios/posix/posix.ts';
import type { FolderSpecification } from './folder-specification.ts';

export interface OpenFolder extends MountedFolder {
  /** Done when all that the guest has written is on the host's disk, where it is an image. */
  close(): Promise<void>;
}

/** All of them, or none; `closeFolders` closes them. */
export async function openFolders(
  specifications: readonly FolderSpecification[],
): Promise<OpenFolder[]> {
  const open: OpenFolder[] = [];
  try {
    for (const specification of specifications) {
      const { at, path } = specification;
      if (open.some((other) => other.at === at)) throw new UserError(`two folders at ${at}`);
      const isImage = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
      open.push(isImage ? await openImage(specification) : openHostFolder(specification));
    }
    return open;
  } catch (error) {
    await closeFolders(open);
    throw error;
  }
}

export async function closeFolders(folders: readonly OpenFolder[]): Promise<void> {
  for (const folder of folders) await folder.close();
}

function openHostFolder({ at, path, mode }: FolderSpecification): OpenFolder {
  if (mode === 'cow')
    throw new UserError(`--fs ${at}=${path}:cow: only what is written to images can be forgotten`);
  const folder = openFolder(path);
  return { at, folder, isReadOnly: mode === 'ro', close: async () => folder.close() };
}

async function openImage({ at, path, mode }: FolderSpecification): Promise<OpenFolder> {
  const { openDisk } = await import('../../../runtime/host/node/file-disk.ts');
  const { Ext2Folder } = await import('../../../runtime/backends/ext2/ext2-folder.ts');
  const disk = await openDisk(path, mode);
  try {
    const folder = new Ext2Folder(disk, { name: path });
    const close = async (): Promise<void> => {
      try {
        await folder.unmount();
      } finally {
        await disk.close();
      }
    };
    return { at, folder, isReadOnly: mode === 'ro', close };
  } catch (error) {
    await disk.close();
    throw error;
  }
}
