/** gzip from Debian's source by its own configure and make, unchanged, as one builds for another machine. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { makeOnce } from '../../toolchain/cache.ts';
import { cacheDirectory, fetchDebianSource, sysroot, type Width } from '../../toolchain/index.ts';
import { compilerName, toolScripts } from '../../toolchain/ocaml/tool-scripts.ts';
import { runProcess } from '../../toolchain/process.ts';

/** Path of the image, made once for a sysroot. */
export async function gzipImage(width: Width): Promise<string> {
  const made = await sysroot(width);
  const source = await fetchDebianSource('gzip');
  const directory = join(cacheDirectory(), 'made', `gzip-${basename(made.directory)}`);
  await makeOnce(directory, async (temporary) => {
    const tools = join(temporary, 'tools');
    mkdirSync(tools);
    for (const [name, text] of Object.entries(toolScripts(made)))
      writeFileSync(join(tools, name), text, { mode: 0o755 });
    const compiler = join(tools, compilerName(width));
    await must(join(source, 'configure'), configuration(compiler), temporary);
    // Its manual would take makeinfo.
    await must('make', ['SUBDIRS=lib .'], temporary);
  });
  return join(directory, 'gzip');
}

const configuration = (compiler: string): string[] => [
  ...[`CC=${compiler}`, 'CFLAGS=-O1', '--disable-dependency-tracking'],
  ...['--build=x86_64-pc-linux-gnu', '--host=none-unknown-none'],
];

async function must(command: string, words: readonly string[], cwd: string): Promise<void> {
  const { status, stdout, stderr } = await runProcess(command, words, { cwd });
  if (status !== 0)
    throw new Error(`${command}: exit status ${status}: ${`${stderr}\n${stdout}`.slice(-800)}`);
}
