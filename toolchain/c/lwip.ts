/** lwip from Debian's source: its core, compiled for one width with our options. What is ours of it is in toolchain/sysroot/lwip. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../runtime/errors.ts';
import { fetchDebianSource } from '../debian/packages.ts';
import { runProcess } from '../process.ts';
import type { Compiler } from './compiler.ts';
import { includeFlags, machineFlags } from './flags.ts';
import type { Width } from './width.ts';

/** The parts that an image has; the rest is applications, and threads of lwip's own. */
const folders = ['core', 'core/ipv4', 'core/ipv6'];
const singles = ['netif/ethernet.c'];

/** -w: lwip's warnings are not for the user. */
const flags = ['-O2', '-w', '-ffunction-sections'];

/** What decides the library's bytes, beside its source, our options and the compiler. */
export const lwipRecipe = [...flags, ...folders, ...singles].join('\n');

/** The unpacked source; undefined, and why, where it cannot be had. */
export async function findLwip(
  signal: AbortSignal | undefined,
  note: (line: string) => void,
): Promise<string | undefined> {
  try {
    return await fetchDebianSource('lwip', { signal });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    note(`programs with sockets will not link, since there is no lwip: ${error.message}`);
    return undefined;
  }
}

/** What is compiled, and what it includes. */
export function lwipFiles(source: string): string[] {
  const compiled = folders.flatMap((folder) =>
    readdirSync(join(source, 'src', folder))
      .filter((name) => name.endsWith('.c'))
      .map((name) => `src/${folder}/${name}`),
  );
  const headers = readdirSync(join(source, 'src/include'), { recursive: true, encoding: 'utf8' });
  return [
    ...compiled,
    ...singles.map((name) => `src/${name}`),
    ...headers.filter((name) => name.endsWith('.h')).map((name) => `src/include/${name}`),
  ].sort();
}

/** Names and contents. */
export const lwipContents = (source: string): string[] =>
  lwipFiles(source).flatMap((file) => [file, readFileSync(join(source, file), 'utf8')]);

export interface LwipJob {
  readonly width: Width;
  readonly compiler: Compiler;
  readonly source: string;
  /** newlib's headers are in its `include`. */
  readonly newlib: string;
  /** Our lwipopts.h and arch/cc.h. */
  readonly options: string;
  readonly signal: AbortSignal | undefined;
}

/** Leaves `include` and `lib/liblwip.a` in `directory`. */
export async function buildLwip(job: LwipJob, directory: string): Promise<void> {
  const { width, compiler, source, newlib, options, signal } = job;
  const work = join(directory, 'work');
  for (const made of [work, join(directory, 'include'), join(directory, 'lib')]) mkdirSync(made);
  const files = lwipFiles(source).filter((name) => name.endsWith('.c'));
  const step = async (command: string, args: string[]): Promise<void> => {
    const { status, stderr } = await runProcess(command, args, { signal, cwd: work });
    if (status !== 0)
      throw new UserError(
        `lwip: ${command} failed with ${status}: ${stderr.trim().split('\n')[0]}`,
      );
  };
  await step(compiler.command, [
    ...[...machineFlags(width), ...includeFlags(compiler, newlib), ...flags],
    ...['-I', options, '-I', join(source, 'src/include'), `-ffile-prefix-map=${source}=/lwip`],
    ...['-c', ...files.map((file) => join(source, file))],
  ]);
  const objects = readdirSync(work).sort();
  await step('ar', ['rcsD', join(directory, 'lib/liblwip.a'), ...objects]);
  for (const from of [join(source, 'src/include/lwip'), join(source, 'src/include/netif')])
    cpSync(from, join(directory, 'include', from.endsWith('lwip') ? 'lwip' : 'netif'), {
      recursive: true,
    });
  cpSync(options, join(directory, 'include'), { recursive: true });
  cpSync(join(source, 'COPYING'), join(directory, 'COPYING.LWIP'));
  rmSync(work, { recursive: true });
}
