/** Disk images with an ext2 file system, made and checked by e2fsprogs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Finished, runProcess } from '../../toolchain/process.ts';

/** Writes the image beside the files that it is made of; false where there is no mke2fs, whose reason is printed. */
export async function makeExt2(
  directory: string,
  image: string,
  megabytes: number,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<boolean> {
  const root = join(directory, 'root');
  mkdirSync(root, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  const words = ['-q', '-F', '-t', 'ext2', '-d', root, image, `${megabytes}M`];
  const { status, stderr } = await run('mke2fs', words);
  if (status === 127) process.stdout.write('not tried: there is no mke2fs (e2fsprogs)\n');
  else if (status !== 0) throw new Error(`mke2fs: ${stderr}`);
  return status === 0;
}

/** What e2fsck says of an image that is not whole; an empty text: it is. */
export async function checkExt2(image: string): Promise<string> {
  const { status, stdout, stderr } = await run('e2fsck', ['-fn', image]);
  return status === 0 ? '' : `${status}: ${stdout}${stderr}`;
}

const run = (command: string, words: readonly string[]): Promise<Finished> =>
  runProcess(command, words, {
    env: { ...process.env, PATH: `/usr/local/sbin:/usr/sbin:/sbin:${process.env['PATH'] ?? ''}` },
  });
