/** Opens what a domain is given of the host: all of it, or nothing. */
import { openFolder } from '../../runtime/host/node/host-folder.ts';
import type { BootOptions } from '../../runtime/machine.ts';
import type { DiskSpecification } from './disk-specification.ts';
import type { DisplaySpecification } from './display-specification.ts';
import { closeFolders, type FolderSpecification, openFolders } from './folder-specification.ts';
import type { NetSpecification } from './net-specification.ts';
import { closeDisks, openDisks } from './open-disks.ts';
import { type OpenDisplay, openDisplay } from './open-display.ts';
import { openNetworks } from './open-networks.ts';
import type { P9FolderSpecification } from './p9-specification.ts';

export interface DeviceSpecifications {
  readonly disks?: readonly DiskSpecification[];
  readonly networks?: readonly NetSpecification[];
  /** In the tree of an application. */
  readonly folders?: readonly FolderSpecification[];
  /** Mounted by a domain image's own kernel. */
  readonly p9?: readonly P9FolderSpecification[];
  readonly display?: DisplaySpecification | undefined;
}

export interface OpenDevices {
  readonly given: Pick<BootOptions, 'folders' | 'disks' | 'networks' | 'p9' | 'display'>;
  readonly display: OpenDisplay | undefined;
  close(): Promise<void>;
}

/** What is wrong is a UserError, before anything has been written. */
export async function openDevices(
  specifications: DeviceSpecifications,
  name: string,
  tell: (line: string) => void,
): Promise<OpenDevices> {
  const closers: (() => void | Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.reverse()) await closer();
  };
  try {
    const folders = openFolders(specifications.folders ?? []);
    closers.push(() => closeFolders(folders));
    const p9 = (specifications.p9 ?? []).map(({ tag, path, isReadOnly }) => {
      const folder = openFolder(path);
      closers.push(() => folder.close());
      return { tag, path, isReadOnly, folder };
    });
    const disks = await openDisks(specifications.disks ?? []);
    closers.push(() => closeDisks(disks));
    const networks = await openNetworks(specifications.networks ?? [], tell);
    closers.push(() => networks.close());
    const display =
      specifications.display && (await openDisplay(specifications.display, name, tell));
    closers.push(() => display?.close());
    const given = { folders, p9, disks, networks: networks.devices };
    return { given: { ...given, display: display !== undefined }, display, close };
  } catch (error) {
    await close();
    throw error;
  }
}
