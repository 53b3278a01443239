/** How fast Debian's GRUB reads a file of 64 MiB from an ext2 disk, by its own count (`testspeed`). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Width } from '../../runtime/memory/layout.ts';
import { runProcess } from '../../toolchain/process.ts';
import { makeExt2 } from '../support/ext2-image.ts';
import { makeGrub } from '../support/grub.ts';
import { random } from '../support/random.ts';
import { cli } from './variants.ts';

export const grubReadTarget = 20;

const fileBytes = 64 * 2 ** 20;

export interface GrubRead {
  readonly width: Width;
  /** Megabytes a second; undefined where no file system could be made. */
  readonly speed: number | undefined;
}

export async function measureGrubRead(
  width: Width,
  { directory }: { readonly directory: string },
): Promise<GrubRead> {
  const image = join(directory, `grub-${width}.img`);
  const block = random(2).bytes(2 ** 20);
  const file = Buffer.concat(Array.from({ length: fileBytes / block.length }, () => block));
  writeFileSync(image, '');
  if (!(await makeExt2(join(directory, `grub-${width}`), image, 80, { file })))
    return { width, speed: undefined };
  const commands = 'testspeed (xen/xvda)/file\nhalt\n';
  const kernel = join(directory, `grub-${width}.bin`);
  writeFileSync(kernel, await makeGrub(width, commands, ['halt', 'ext2', 'testspeed']));
  const words = [cli, 'run', '--memory', '128M', '--disk', `xvda=${image}:ro`, kernel];
  const { status, stdout, stderr } = await runProcess(process.execPath, words);
  if (status !== 0) throw new Error(`GRUB ended with status ${status}: ${stderr}`);
  return { width, speed: speedIn(stdout) };
}

const units: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** `Speed: 23.77MiB/s`, in megabytes. */
export function speedIn(text: string): number {
  const [, number, unit = ''] = /Speed: ([\d.]+)\s*([KMG])iB\/s/.exec(text) ?? [];
  if (number === undefined) throw new Error(`GRUB told no speed: ${text}`);
  return (Number(number) * (units[unit] ?? 1)) / 1e6;
}

export function grubReadText({ width, speed }: GrubRead): string {
  const name = width === 64 ? 'x86-64' : 'x86-32';
  if (speed === undefined) return `${name}: GRUB's reading was not measured: no mke2fs`;
  const isMet = speed >= grubReadTarget ? 'met' : 'not met';
  return `${name}: GRUB reads a file at ${speed.toFixed(1)} MB/s; target ${grubReadTarget}: ${isMet}`;
}
