/** Opens what a domain is given of the host: all of it, or nothing. */
import type { ConsoleSpecification } from '../../../runtime/backends/console/console-device.ts';
import type { FileConsole } from '../../../runtime/host/node/file-console.ts';
import { openFolder } from '../../../runtime/host/node/host-folder.ts';
import type { SocketConsole } from '../../../runtime/host/node/socket-console.ts';
import type { BootOptions } from '../../../runtime/machine.ts';
import type { ConsoleOption } from './console-specification.ts';
import type { DiskSpecification } from './disk-specification.ts';
import type { DisplaySpecification } from './display-specification.ts';
import type { ExportSpecification } from './export-specification.ts';
import type { FolderSpecification } from './folder-specification.ts';
import type { NetSpecification } from './net-specification.ts';
import type { OpenDisplay } from './open-display.ts';
import { closeFolders, openFolders } from './open-folders.ts';
import type { P9FolderSpecification } from './p9-specification.ts';

export interface DeviceSpecifications {
  readonly disks?: readonly DiskSpecification[];
  readonly networks?: readonly NetSpecification[];
  /** In the tree of an application. */
  readonly folders?: readonly FolderSpecification[];
  /** Mounted by 9P. */
  readonly p9?: readonly P9FolderSpecification[];
  /** Reached by fsif. */
  readonly exports?: readonly ExportSpecification[];
  readonly displays?: readonly DisplaySpecification[];
  /** Beside the first. */
  readonly consoles?: readonly ConsoleOption[];
}

export interface OpenDevices {
  readonly given: Pick<
    BootOptions,
    'folders' | 'disks' | 'networks' | 'p9' | 'exports' | 'display' | 'consoles'
  >;
  readonly displays: readonly OpenDisplay[];
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
    const folders = await openFolders(specifications.folders ?? []);
    closers.push(() => closeFolders(folders));
    const p9 = (specifications.p9 ?? []).map(({ tag, path, isReadOnly }) => {
      const folder = openFolder(path);
      closers.push(() => folder.close());
      return { tag, path, isReadOnly, folder };
    });
    const exports = (specifications.exports ?? []).map(({ name: called, path, isReadOnly }) => {
      const folder = openFolder(path);
      closers.push(() => folder.close());
      return { name: called, isReadOnly, folder };
    });
    const disks = await open(specifications.disks, async (asked) => {
      const { openDisks, closeDisks } = await import('./open-disks.ts');
      const opened = await openDisks(asked);
      closers.push(() => closeDisks(opened));
      return opened;
    });
    const networks = await open(specifications.networks, async (asked) => {
      const { openNetworks } = await import('./open-networks.ts');
      const opened = await openNetworks(asked, tell);
      closers.push(() => opened.close());
      return opened.devices;
    });
    const displays: OpenDisplay[] = [];
    for (const asked of specifications.displays ?? []) {
      const display = await openScreen(asked, name, tell);
      closers.push(() => display.close());
      displays.push(display);
    }
    const consoles: ConsoleSpecification[] = [];
    for (const asked of specifications.consoles ?? []) {
      const console = await openConsole(asked);
      closers.push(() => console.close());
      consoles.push({ id: asked.id, name: asked.name, console });
    }
    const given = { folders, p9, exports, disks, networks, consoles };
    return { given: { ...given, display: displays.length }, displays, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What stands behind devices of a kind is loaded only where some are asked for. */
const open = async <Asked, Opened>(
  asked: readonly Asked[] = [],
  openAll: (asked: readonly Asked[]) => Promise<readonly Opened[]>,
): Promise<readonly Opened[]> => (asked.length === 0 ? [] : openAll(asked));

async function openConsole(asked: ConsoleOption): Promise<FileConsole | SocketConsole> {
  if (asked.socket === undefined) {
    const { FileConsole } = await import('../../../runtime/host/node/file-console.ts');
    return new FileConsole(asked);
  }
  const { openSocketConsole } = await import('../../../runtime/host/node/socket-console.ts');
  return openSocketConsole(asked.socket);
}

async function openScreen(
  asked: DisplaySpecification,
  name: string,
  tell: (line: string) => void,
): Promise<OpenDisplay> {
  const { openDisplay } = await import('./open-display.ts');
  return openDisplay(asked, name, tell);
}
