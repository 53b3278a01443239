/** C libraries of Debian's that stubs of OCaml packages are linked with, built once from their sources by our compiler. */
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { UserError } from '../../runtime/errors.ts';
import { machineFlags } from '../c/flags.ts';
import { widths } from '../c/width.ts';
import { cacheDirectory, makeOnce } from '../cache.ts';
import { fetchDebianSource } from '../debian/packages.ts';
import { runProcess } from '../process.ts';
import type { Progress } from '../progress.ts';
import type { CamlTree } from './caml-tree.ts';
import { compilerName } from './tool-scripts.ts';

export interface ForeignLibrary {
  /** Debian's source package. */
  readonly source: string;
  /** What the commands make, in the source's tree. */
  readonly archive: string;
  readonly headers: readonly string[];
  /** Of the shell, in a copy of the tree. */
  readonly prepare: readonly string[];
  /** Likewise, with CC and JOBS in the environment. */
  readonly commands: readonly string[];
}

export interface ForeignJob {
  readonly tree: CamlTree;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

/** A directory with `lib` and `include`. */
export async function foreignLibrary(library: ForeignLibrary, job: ForeignJob): Promise<string> {
  const { tree, progress, signal } = job;
  const directory = place(library, tree);
  await makeOnce(
    directory,
    async (temporary) => {
      progress.update(0.2, `building ${library.source}`);
      const work = join(temporary, 'work');
      cpSync(await fetchDebianSource(library.source, { signal }), work, { recursive: true });
      for (const command of [...library.prepare, ...library.commands])
        await run(command, work, library, job);
      for (const name of ['lib', 'include']) mkdirSync(join(temporary, name));
      const archive = basename(library.archive);
      copyFileSync(join(work, library.archive), join(temporary, 'lib', archive));
      for (const header of library.headers)
        copyFileSync(join(work, header), join(temporary, 'include', header));
      rmSync(work, { recursive: true });
    },
    { signal },
  );
  return directory;
}

/** By what its bytes are made from: of the sysroot the headers alone, so that other changes of it leave the library as it is. */
function place(library: ForeignLibrary, { sysroot, width }: CamlTree): string {
  const hash = createHash('sha256');
  const parts = [JSON.stringify(library), sysroot.compiler.version, ...machineFlags(width)];
  for (const part of parts) hash.update(part).update('\0');
  const headers = join(sysroot.directory, 'include');
  for (const file of readdirSync(headers, { recursive: true, encoding: 'utf8' }).sort())
    if (file.endsWith('.h')) hash.update(file).update(readFileSync(join(headers, file)));
  const name = `${library.source}-${widths[width].name}-${hash.digest('hex').slice(0, 16)}`;
  return join(cacheDirectory(), name);
}

async function run(
  command: string,
  cwd: string,
  { source }: ForeignLibrary,
  { tree, signal }: ForeignJob,
): Promise<void> {
  const env = {
    ...process.env,
    CC: join(tree.directory, 'bin', compilerName(tree.width)),
    JOBS: String(availableParallelism()),
  };
  const { status, stdout, stderr } = await runProcess('sh', ['-c', command], { cwd, signal, env });
  if (status === 0) return;
  const lines = `${stderr}\n${stdout}`.split('\n');
  const line = lines.find((text) => /error/i.test(text)) ?? stderr.trim();
  throw new UserError(`building ${source} for ${widths[tree.width].name}: ${line}`);
}
