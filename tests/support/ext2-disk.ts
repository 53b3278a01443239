/** Disks with an ext2 file system for tests, and what e2fsprogs say of them. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Finished, runProcess } from '../../toolchain/process.ts';

const env = {
  ...process.env,
  PATH: `/usr/local/sbin:/usr/sbin:/sbin:${process.env['PATH'] ?? ''}`,
};

async function withImage<T>(bytes: Uint8Array, use: (file: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-ext2-'));
  try {
    const file = join(directory, 'image');
    writeFileSync(file, bytes);
    return await use(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

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

/** As a person does it after a crash. */
export const repaired = (bytes: Uint8Array): Promise<Uint8Array> =>
  withImage(bytes, async (file) => {
    const { status, stdout, stderr } = await runProcess('e2fsck', ['-fy', file], { env });
    // 1: all was repaired (e2fsck(8)).
    if (status > 1) throw new Error(`e2fsck: ${status}: ${stdout}${stderr}`);
    return new Uint8Array(readFileSync(file));
  });

export const debugfs = (bytes: Uint8Array, request: string): Promise<Finished> =>
  withImage(bytes, (file) => runProcess('debugfs', ['-R', request, file], { env }));

/** Writes those files that are there, of the root, into a directory of the host. */
export async function dumpFiles(
  bytes: Uint8Array,
  names: readonly string[],
  directory: string,
): Promise<void> {
  await withImage(bytes, async (file) => {
    const requests = names.map((name) => `dump /${name} ${join(directory, name)}\n`).join('');
    await runProcess('debugfs', ['-f', '-', file], { env, input: requests });
    // It makes one of what is not there.
    for (const target of names.map((name) => join(directory, name)))
      if (existsSync(target) && statSync(target).size === 0) rmSync(target);
  });
}
