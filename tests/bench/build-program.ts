/** Programs of the bench for guests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Width } from '../../toolchain/index.ts';
import { testFile } from '../support/program.ts';

/** The image of `tests/bench/NAME.c`, in that directory. */
export async function buildProgram(
  name: string,
  width: Width,
  directory: string,
): Promise<Uint8Array> {
  const output = join(directory, `${name.replaceAll('/', '-')}-${width}.elf`);
  const words = ['-O2', testFile(`bench/${name}.c`)];
  const { status, messages } = await build({ width, output, arguments: words });
  if (status !== 0) throw new Error(messages);
  return new Uint8Array(readFileSync(output));
}
