/** From C sources to an application image: one call of gcc between our flags, and its result moved into place. */
import {
  accessSync,
  constants,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { UserError } from '../../runtime/errors.ts';
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

function cannotWrite(output: string, cause: unknown): UserError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new UserError(`cannot write ${output}: ${code ?? message}`, { cause });
}

/** Before the work, not after it. */
function checkOutput(output: string): void {
  try {
    const found = statSync(output, { throwIfNoEntry: false });
    if (found?.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
    accessSync(dirname(output), constants.F_OK);
    accessSync(found === undefined ? dirname(output) : output, constants.W_OK);
  } catch (error) {
    throw cannotWrite(output, error);
  }
}

/** An image appears whole: copied beside its place first. Devices and the like are written to directly. */
function place(image: string, output: string): void {
  const found = statSync(output, { throwIfNoEntry: false });
  const beside = found === undefined || found.isFile();
  const target = beside ? `${output}.tmp-${process.pid}` : output;
  try {
    // Not copyFile: where that fails, it removes its target, and that may be a device.
    writeFileSync(target, readFileSync(image), { mode: 0o777 });
    if (beside) renameSync(target, output);
  } catch (error) {
    if (beside) rmSync(target, { force: true });
    throw cannotWrite(output, error);
  }
}
