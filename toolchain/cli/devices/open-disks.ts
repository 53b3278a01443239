/** Opens the disks of a domain: all of them, or none. */
import { resolve } from 'node:path';
import type {
  BlockDeviceSpecification,
  EmptyDrive,
} from '../../../runtime/backends/block/block-device.ts';
import { deviceNumber } from '../../../runtime/backends/block/device-number.ts';
import { UserError } from '../../../runtime/errors.ts';
import { openDisk } from '../../../runtime/host/node/file-disk.ts';
import { openQcow2 } from '../../../runtime/host/node/qcow2-file.ts';
import type { DiskSpecification } from './disk-specification.ts';

export type OpenDisk = BlockDeviceSpecification | EmptyDrive;

/** Relative paths are those of the working directory. Whoever opens them closes each `disk`. */
export async function openDisks(specifications: readonly DiskSpecification[]): Promise<OpenDisk[]> {
  checkDistinct(specifications);
  const open: OpenDisk[] = [];
  try {
    for (const specification of specifications) {
      const { vdev, path, format, mode, isCdrom, discards, isDirectIoSafe } = specification;
      if (path === undefined) {
        open.push({ vdev, disk: undefined });
        continue;
      }
      const disk = await (format === 'qcow2' ? openQcow2 : openDisk)(path, mode);
      const target = resolve(path);
      const more = discards === undefined ? {} : { discards };
      open.push({ vdev, disk, target, format, isCdrom, isDirectIoSafe, ...more });
    }
    return open;
  } catch (error) {
    await closeDisks(open);
    throw error;
  }
}

export async function closeDisks(disks: readonly OpenDisk[]): Promise<void> {
  await Promise.all(disks.map(({ disk }) => disk?.close()));
}

function checkDistinct(specifications: readonly DiskSpecification[]): void {
  const names = new Map<number, string>();
  for (const { vdev } of specifications) {
    const number = deviceNumber(vdev);
    const other = names.get(number);
    if (other !== undefined)
      throw new UserError(
        other === vdev ? `two disks are ${vdev}` : `two disks are one device: ${other} and ${vdev}`,
      );
    names.set(number, vdev);
  }
}
