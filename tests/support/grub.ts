/** Debian's GRUB 2 for Xen: the packages, and small images that its grub-mkimage makes of them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Width } from '../../runtime/memory/layout.ts';
import { fetchDebianPackage } from '../../toolchain/debian/packages.ts';
import { runProcess } from '../../toolchain/process.ts';

const formats = { 64: 'x86_64-xen', 32: 'i386-xen' } as const;

/** An image that reads its commands from within, and has the modules named. */
export async function makeGrub(
  width: Width,
  commands: string,
  modules: readonly string[],
): Promise<Uint8Array> {
  const common = await fetchDebianPackage('grub-common');
  const parts = join(await fetchDebianPackage('grub-xen-bin'), 'usr/lib/grub', formats[width]);
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-grub-'));
  try {
    const [config, output] = [join(directory, 'grub.cfg'), join(directory, 'grub.bin')];
    writeFileSync(config, commands);
    const options = ['-p', '/', '-d', parts, '-O', formats[width], '-c', config, '-o', output];
    const tool = join(common, 'usr/bin/grub-mkimage');
    const { status, stderr } = await runProcess(tool, [...options, ...modules]);
    if (status !== 0) throw new Error(stderr);
    return readFileSync(output);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Debian's own image, with all modules in it. */
export async function debianGrub(width: Width): Promise<Uint8Array> {
  const tree = await fetchDebianPackage('grub-xen-host');
  const name = width === 64 ? 'grub-x86_64-xen.bin' : 'grub-i386-xen.bin';
  return readFileSync(join(tree, 'usr/lib/grub-xen', name));
}
