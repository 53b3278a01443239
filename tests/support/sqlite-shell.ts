/** SQLite's shell from Debian's source, whose two C files its own makefile joins from some hundred (it needs tclsh). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeOnce } from '../../toolchain/cache.ts';
import { cacheDirectory, fetchDebianPackage, fetchDebianSource } from '../../toolchain/index.ts';
import { runProcess } from '../../toolchain/process.ts';
import { isFull, type Program } from './program.ts';

/** Directory of sqlite3.c and shell.c. */
export async function sqliteSource(): Promise<string> {
  const directory = join(cacheDirectory(), 'made', 'sqlite3');
  if (!existsSync(directory)) {
    const tree = await fetchDebianSource('sqlite3');
    const env = await withTcl();
    await makeOnce(directory, async (temporary) => {
      const words = ['--disable-tcl', '--disable-readline'];
      await must(join(tree, 'configure'), words, temporary, env);
      await must('make', ['sqlite3.c', 'shell.c'], temporary, env);
    });
  }
  return directory;
}

/** As sqlite.org/howtocompile.html has it; gcc takes twice as long at -O2. */
export const sqliteShell = (tree: string, defines: readonly string[] = []): Program => ({
  files: ['sqlite3.c', 'shell.c'].map((file) => join(tree, file)),
  options: [isFull ? '-O2' : '-O1', '-I', tree, '-DSQLITE_THREADSAFE=0', ...defines],
});

/** The machine's own tclsh, or Debian's, which is not installed for that. */
async function withTcl(): Promise<NodeJS.ProcessEnv> {
  const { PATH = '' } = process.env;
  const { status } = await runProcess('sh', ['-c', 'command -v tclsh'], {});
  if (status === 0) return process.env;
  const [command, library] = [
    await fetchDebianPackage('tcl8.6'),
    await fetchDebianPackage('libtcl8.6'),
  ];
  return {
    ...process.env,
    PATH: `${PATH}:${join(command, 'usr/bin')}`,
    LD_LIBRARY_PATH: join(library, 'usr/lib/x86_64-linux-gnu'),
    TCL_LIBRARY: join(library, 'usr/share/tcltk/tcl8.6'),
  };
}

async function must(
  command: string,
  words: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const { status, stdout, stderr } = await runProcess(command, words, { cwd, env });
  if (status === 0) return;
  throw new Error(
    `${command}: exit status ${status}: ${`${stderr}\n${stdout}`.trim().slice(-500)}`,
  );
}
