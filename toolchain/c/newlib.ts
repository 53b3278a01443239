/** newlib from Debian's newlib-source: unpacked, taught our system, configured for one width, compiled. */
import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../runtime/errors.ts';
import { fetchDebianPackage } from '../debian/packages.ts';
import { newlibTar } from '../debian/tools.ts';
import { type RunOptions, runProcess } from '../process.ts';
import type { Progress } from '../progress.ts';
import type { Compiler } from './compiler.ts';
import { machineFlags } from './flags.ts';
import { edits } from './newlib-edits.ts';
import { type Width, widths } from './width.ts';

const options = [
  '--disable-multilib',
  '--disable-shared',
  '--disable-dependency-tracking',
  '--disable-maintainer-mode',
  '--enable-newlib-io-long-long',
  '--enable-newlib-io-c99-formats',
  '--enable-newlib-io-long-double',
  '--enable-newlib-io-pos-args',
  '--enable-newlib-mb',
  '--enable-newlib-global-stdio-streams',
  '--enable-newlib-retargetable-locking',
];

/**
 * -w: newlib's warnings are not for the user. Sections, so that an image leaves out what it does not call. Its assembler
 * files do not say that they need no executable stack.
 */
const optimisation = '-O2 -w -ffunction-sections -Wa,--noexecstack';

/** What decides the library's bytes, beside its source and the compiler. */
export const newlibRecipe = [
  optimisation,
  ...options,
  ...edits.map((edit) => JSON.stringify(edit)),
].join('\n');

/** /usr/src/newlib's tar, else that of the package fetched into the cache. */
export async function findNewlibTar(signal?: AbortSignal): Promise<string> {
  const installed = newlibTar();
  if (installed !== undefined) return installed;
  const fetched = newlibTar(await fetchDebianPackage('newlib-source', { signal }));
  if (fetched === undefined)
    throw new UserError('the package newlib-source has no usr/src/newlib/newlib-*.tar.*');
  return fetched;
}

export interface NewlibJob {
  readonly width: Width;
  readonly compiler: Compiler;
  readonly tar: string;
  /** Own files, laid over newlib's. */
  readonly overlay: string;
  /** An empty directory to work in. */
  readonly work: string;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

/** Number of commands that compile, measured; it only scales the progress bar. */
const COMPILATIONS = 880;

/** Leaves `include` and `lib` in `sysroot`. */
export async function buildNewlib(job: NewlibJob, sysroot: string): Promise<void> {
  const source = join(job.work, 'source');
  const build = join(job.work, 'build');
  mkdirSync(source);
  mkdirSync(build);
  await step(job, 'tar', ['-xf', job.tar, '-C', source, '--strip-components=1', ...unneeded]);
  teach(source, job.overlay);
  await configure(job, source, build, sysroot);
  await compile(job, build);
  await step(job, 'make', ['install-toollibLIBRARIES', 'install-data-local'], { cwd: build });
  const { host } = widths[job.width];
  for (const name of ['include', 'lib']) renameSync(join(sysroot, host, name), join(sysroot, name));
  cpSync(join(source, 'COPYING.NEWLIB'), join(sysroot, 'COPYING.NEWLIB'));
}

const unneeded = ['libgloss', 'testsuite', 'texinfo'].map((name) => `--exclude=*/${name}`);

function teach(source: string, overlay: string): void {
  for (const { file, before, after } of edits) {
    const path = join(source, file);
    const text = readFileSync(path, 'utf8');
    const parts = text.split(before);
    if (parts.length !== 2)
      throw new UserError(
        `newlib: ${file}: expected once, found ${parts.length - 1} times: ${before.trim()}`,
      );
    writeFileSync(path, parts.join(after));
  }
  cpSync(overlay, source, { recursive: true });
}

async function configure(
  job: NewlibJob,
  source: string,
  build: string,
  sysroot: string,
): Promise<void> {
  const { compiler, width, work } = job;
  const words = [
    `--host=${widths[width].host}`,
    '--build=x86_64-pc-linux-gnu',
    `--prefix=${sysroot}`,
    '--cache-file=config.cache',
    ...options,
    `CC=${[compiler.command, ...machineFlags(width), '-nostdinc', '-isystem', compiler.includeDirectory].join(' ')}`,
    `CFLAGS=${optimisation} -ffile-prefix-map=${work}=/newlib`,
    ...['AR=ar', 'RANLIB=ranlib', 'AS=as', 'NM=nm', 'STRIP=strip', 'READELF=readelf'],
  ];
  job.progress.update(0.02, 'configuring');
  await step(job, join(source, 'newlib/configure'), words, { cwd: build });
}

async function compile(job: NewlibJob, build: string): Promise<void> {
  let compiled = 0;
  const onLine = (line: string) => {
    if (!/ -c -o /.test(line)) return;
    compiled++;
    job.progress.update(0.1 + 0.85 * Math.min(1, compiled / COMPILATIONS), 'compiling');
  };
  await step(job, 'make', [`-j${availableParallelism()}`, 'MAKEINFO=true', 'all'], {
    cwd: build,
    onLine,
  });
}

async function step(
  job: NewlibJob,
  command: string,
  args: string[],
  run: RunOptions = {},
): Promise<void> {
  const result = await runProcess(command, args, {
    ...run,
    env: { ...process.env, LC_ALL: 'C', MAKEFLAGS: '' },
    signal: job.signal,
  });
  if (result.status === 0) return;
  const said = `${result.stdout}\n${result.stderr}`.trim().split('\n');
  const line =
    said.find((text) => /error:|No space left|configure: error/i.test(text)) ?? said.at(-1);
  throw new UserError(`newlib: ${command.split('/').at(-1)} failed with ${result.status}: ${line}`);
}
