/** Where an image is to be: asked for before the work, and there whole or not at all. */
import {
  accessSync,
  constants,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../runtime/errors.ts';

function cannotWrite(output: string, cause: unknown): UserError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new UserError(`cannot write ${output}: ${code ?? message}`, { cause });
}

/** Before the work, not after it. */
export function checkOutput(output: string): void {
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
export function place(image: string, output: string): void {
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
