/** Disks with an ext2 file system for tests, and what e2fsprogs say of them. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Finished, runProcess } from '../../toolchain/process.ts';

const env = {
  ...process.env,
  PATH: `/usr/local/sbin:/usr/sbin:/sbin:${process.env['PATH'] ?? ''}`,
};

/** In memory where the machine has such a directory: e2fsck waits for the disk several times. */
const temporary = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

async function withImages<T>(
  images: readonly Uint8Array[],
  use: (files: readonly string[]) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(temporary, 'stubdom-ext2-'));
  try {
    const files = images.map((_, index) => join(directory, `image${index}`));
    for (const [index, bytes] of images.entries()) writeFileSync(files[index] ?? '', bytes);
    return await use(files);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const withImage = <T>(bytes: Uint8Array, use: (file: string) => Promise<T>): Promise<T> =>
  withImages([bytes], ([file = '']) => use(file));

/** Undefined where there is no mke2fs, whose reason is printed. */
export function newExt2(kibibytes: number, ...options: string[]): Promise<Uint8Array | undefined> {
  return withImage(new Uint8Array(), async (file) => {
    const type = options.includes('-t') ? [] : ['-t', 'ext2'];
    const words = ['-q', '-F', ...type, ...options, file, `${kibibytes}k`];
    const { status, stderr } = await runProcess('mke2fs', words, { env });
    if (status === 127) {
      process.stdout.write('not tried: there is no mke2fs (e2fsprogs)\n');
      return undefined;
    }
    if (status !== 0) throw new Error(`mke2fs: ${stderr}`);
    return new Uint8Array(readFileSync(file));
  });
}

/** An empty text: it is whole, and was unmounted. */
export const faultsOf = (bytes: Uint8Array): Promise<string> =>
  withImage(bytes, async (file) => {
    const { status, stdout, stderr } = await runProcess('e2fsck', ['-fn', file], { env });
    const says = `${status}: ${stdout}${stderr}`;
    return status === 0 && !/was not cleanly unmounted/.test(says) ? '' : says;
  });

// 1: all was repaired (e2fsck(8)).
const mendEach = 'for file; do e2fsck -fy "$file" || [ $? = 1 ] || exit; done';

/** As a person does it after a crash. */
export const repaired = async (images: readonly Uint8Array[]): Promise<Uint8Array[]> =>
  withImages(images, async (files) => {
    const { status, stdout, stderr } = await runProcess('sh', ['-c', mendEach, 'sh', ...files], {
      env,
    });
    if (status > 0) throw new Error(`e2fsck: ${status}: ${`${stdout}${stderr}`.slice(-2000)}`);
    return files.map((file) => new Uint8Array(readFileSync(file)));
  });

export const debugfs = (bytes: Uint8Array, request: string): Promise<Finished> =>
  withImage(bytes, (file) => runProcess('debugfs', ['-R', request, file], { env }));

/** Writes those files that are there, of each image's root, into the directory of the host that it has here. */
export async function dumpFiles(
  images: ReadonlyMap<string, Uint8Array>,
  names: readonly string[],
): Promise<void> {
  const directories = [...images.keys()];
  const targets = directories.map((directory) => names.map((name) => join(directory, name)));
  await withImages([...images.values()], async (files) => {
    const requests = files.map((file, index) => {
      const dumps = names.map((name, at) => `dump /${name} ${targets[index]?.[at]}\n`);
      return `open ${file}\n${dumps.join('')}close\n`;
    });
    await runProcess('debugfs', ['-f', '-'], { env, input: requests.join('') });
  });
  // It makes one of what is not there.
  for (const target of targets.flat())
    if (existsSync(target) && statSync(target).size === 0) rmSync(target);
}
