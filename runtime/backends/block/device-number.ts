/** Names of virtual block devices and the numbers that stand for them in the store (xen-vbd-interface(7)). */
import { UserError } from '../../errors.ts';

const mostDisk = 2 ** 20 - 1;
const mostPartition = 255;

/** A name as xl takes it (`xvda`, `xvdb3`, `d1p2`, `hda`, `sda1`), or the number itself. */
export function deviceNumber(name: string): number {
  const number =
    xenDisk(name) ??
    plainNumber(name) ??
    numbered(name, 'hd', 3, 63, (disk, partition) =>
      disk < 2 ? (3 << 8) | (disk << 6) | partition : (22 << 8) | ((disk - 2) << 6) | partition,
    ) ??
    numbered(name, 'sd', 15, 15, (disk, partition) => (8 << 8) | (disk << 4) | partition);
  if (number === undefined)
    throw new UserError(
      `no device ${name}; expected one such as xvda, xvda1, hda, sda or d0p1: ${limits}`,
    );
  return number;
}

const limits = 'hd a to d with 63 partitions, sd a to p with 15, xvd with 255';

const extended = (disk: number, partition: number): number =>
  disk <= 15 && partition <= 15
    ? (202 << 8) | (disk << 4) | partition
    : (1 << 28) | (disk << 8) | partition;

/** `d3`, `d3p4`, `xvdd4`; numbers as C writes them. */
function xenDisk(name: string): number | undefined {
  const [, disk, partition = '0'] = /^d(0x[0-9a-f]+|\d+)(?:p(0x[0-9a-f]+|\d+))?$/i.exec(name) ?? [];
  if (disk === undefined) return numbered(name, 'xvd', mostDisk, mostPartition, extended);
  const [d, p] = [integer(disk), integer(partition)];
  return d === undefined || p === undefined || d > mostDisk || p > mostPartition
    ? undefined
    : extended(d, p);
}

function plainNumber(name: string): number | undefined {
  const value = /^\d/.test(name) ? integer(name) : undefined;
  return value !== undefined && value <= 0x7fff_ffff ? value : undefined;
}

/** strtoul(3), base 0. */
function integer(text: string): number | undefined {
  if (/^0x[0-9a-f]+$/i.test(text)) return Number(text);
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
}

/** Letters count disks: a to z, then aa. */
function numbered(
  name: string,
  prefix: string,
  most: number,
  mostOfPartitions: number,
  encode: (disk: number, partition: number) => number,
): number | undefined {
  const [, letters, digits = '0'] = new RegExp(`^${prefix}([a-z]+)([1-9]\\d*)?$`).exec(name) ?? [];
  if (letters === undefined) return undefined;
  const disk = [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 96, 0) - 1;
  const partition = Number(digits);
  return disk > most || partition > mostOfPartitions ? undefined : encode(disk, partition);
}
