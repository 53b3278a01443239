/** From C sources to an application image: one call of gcc between our flags, and its result moved into place. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkOutput, place } from '../output.ts';
import { runProcess } from '../process.ts';
import { includeFlags, linkFlags, machineFlags } from './flags.ts';
import { type SysrootOptions, sysroot } from './sysroot.ts';
import type { Width } from './width.ts';

export interface BuildOptions extends SysrootOptions {
  readonly width?: Width;
  readonly output: string;
  /** Sources, objects, and options of gcc, in the user's order. */
  readonly arguments: readonly string[];
  readonly cwd?: string;
  /** gcc's messages go to this process's stderr as they are; else they are in the result. */
  readonly inherit?: boolean;
}

export interface BuildResult {
  /** gcc's exit status: where it is not 0, there is no image. */
  readonly status: number;
  readonly messages: string;
}

export async function build(options: BuildOptions): Promise<BuildResult> {
  const { width = 64, output, signal, inherit = false, cwd = process.cwd() } = options;
  checkOutput(output);
  const { compiler, directory } = await sysroot(width, options);
  const temporary = mkdtempSync(join(tmpdir(), 'stubdom-build-'));
  try {
    const image = join(temporary, 'image.elf');
    const args = [
      ...machineFlags(width),
      ...includeFlags(compiler, directory),
      ...options.arguments,
      ...linkFlags(compiler, directory),
      ...['-o', image],
    ];
    const { status, stdout, stderr } = await runProcess(compiler.command, args, {
      ...{ cwd, inherit, signal },
    });
    if (status === 0) place(image, output);
    return { status, messages: stdout + stderr };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
