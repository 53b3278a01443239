/** Records examples/hello-c: its two prebuilt images, what made them, and newlib's licences. */
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNewlibTar } from '../../../toolchain/c/newlib.ts';
import { build, sysroot, type Width } from '../../../toolchain/index.ts';

export const helloDirectory = fileURLToPath(
  new URL('../../../../examples/hello-c', import.meta.url),
);

/** What decides the bytes of the images, beside this repository. */
export interface Origin {
  readonly compiler: string;
  readonly newlib: string;
}

export async function helloOrigin(): Promise<Origin> {
  const tar = readFileSync(await findNewlibTar());
  return {
    compiler: (await sysroot(64)).compiler.version,
    newlib: `sha256 ${createHash('sha256').update(tar).digest('hex')}`,
  };
}

/** From the example's own directory, as its README says. */
export async function buildHello(width: Width, output: string): Promise<void> {
  const { status, messages } = await build({
    ...{ width, output, cwd: helloDirectory, arguments: ['-O2', '-s', 'hello.c'] },
  });
  if (status !== 0) throw new Error(messages);
}

export async function recordHello(): Promise<void> {
  for (const width of [64, 32] as const)
    await buildHello(width, join(helloDirectory, `hello-${width}.elf`));
  const { directory } = await sysroot(64);
  copyFileSync(join(directory, 'COPYING.NEWLIB'), join(helloDirectory, 'COPYING.NEWLIB'));
  const origin = JSON.stringify(await helloOrigin(), null, 2);
  writeFileSync(join(helloDirectory, 'prebuilt.json'), `${origin}\n`);
}
