/**
 * The sysroot of a width: newlib, lwip, our headers and C of the Mini-OS API, crt0, the linker script, libminios.so. Built once
 * from everything that decides its bytes, and found again by a hash of the same; newlib, which takes nearly all of the
 * time, and lwip by hashes of their own, so that a change of our part builds our part alone.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../runtime/errors.ts';
import { api } from '../../runtime/minios/api.ts';
import { cacheDirectory, makeOnce } from '../cache.ts';
import { installLine, missingTools, newlibTar } from '../debian/tools.ts';
import { runProcess } from '../process.ts';
import { type Progress, silentProgress } from '../progress.ts';
import { type Compiler, findCompiler } from './compiler.ts';
import { includeFlags, machineFlags } from './flags.ts';
import { apiHeader, importLibrary } from './import-library.ts';
import { buildLwip, findLwip, lwipContents, lwipRecipe } from './lwip.ts';
import { buildNewlib, findNewlibTar, newlibRecipe } from './newlib.ts';
import { type Width, widths } from './width.ts';

export interface Sysroot {
  readonly width: Width;
  readonly directory: string;
  readonly compiler: Compiler;
}

export interface SysrootOptions {
  readonly progress?: (title: string) => Progress;
  readonly signal?: AbortSignal | undefined;
}

/** Our C, beside the compiled JavaScript's directory both in a checkout and in the package. */
export const ownSources = fileURLToPath(new URL('../../../toolchain/sysroot', import.meta.url));
const overlay = join(ownSources, 'newlib');
const lwipOptions = join(ownSources, 'lwip/include');

/** Compiles our own as a user's program is compiled, with complaints about anything doubtful. */
const ownFlags = ['-O2', '-std=gnu11', '-Wall', '-Wextra', '-fno-builtin', '-ffunction-sections'];

/** Our sources by the library they belong to, and the members of newlib's in whose place they stand. */
const libraries = [
  {
    name: 'libc.a',
    sources: 'src',
    replaced: [
      'abort',
      'clock',
      'ldtoa',
      'lock',
      'mlock',
      'pread',
      'psignal',
      'pwrite',
      'raise',
      'remove',
      'scandir',
      'signal',
      'strsignal',
      'sysfcntl',
      'system',
      'ttyname',
      'ttyname_r',
    ],
  },
  { name: 'libm.a', sources: 'math', replaced: ['f_rintl', 'f_lrintl', 'f_llrintl', 'sqrtl'] },
  // Empty where lwip could not be had.
  { name: 'liblwip.a', sources: 'lwip', replaced: [] },
] as const;

/** What makefiles link for POSIX threads and clocks, which are in the C library. */
const emptyLibraries = ['libpthread.a', 'librt.a'];

/** The cached sysroot, which is built first where it is not there. */
export async function sysroot(width: Width, options: SysrootOptions = {}): Promise<Sysroot> {
  const compiler = await findCompiler(width);
  const tar = await findNewlibTar(options.signal);
  const notes: string[] = [];
  const lwip = await findLwip(options.signal, (line) => notes.push(line));
  const directory = place(width, compiler, tar, lwip);
  if (existsSync(directory)) return { width, directory, compiler };

  const missing = await missingTools(['make', 'xz', 'ld']);
  if (missing.length > 0)
    throw new UserError(`missing: ${missing.join(', ')}; try: ${installLine(missing)}`);
  const name = `C library for ${widths[width].name}`;
  const progress = (options.progress ?? (() => silentProgress))(`building the ${name}`);
  const begun = Date.now();
  try {
    const built = await makeOnce(
      directory,
      async (temporary) => await fill(temporary, { width, compiler, tar, lwip, progress, options }),
      {
        signal: options.signal,
        onWait: (pid) => progress.note(`waiting for process ${pid}, which builds the ${name}`),
      },
    );
    for (const line of notes) progress.note(line);
    const seconds = Math.round((Date.now() - begun) / 1000);
    if (built) progress.done(`built the ${name} in ${seconds} s, once: ${directory}`);
    return { width, directory, compiler };
  } catch (error) {
    progress.clear();
    throw error;
  }
}

/** The directory where it has been built already; never builds, never fetches. */
export async function cachedSysroot(width: Width): Promise<string | undefined> {
  const tar = newlibTar() ?? newlibTar(join(cacheDirectory(), 'packages/newlib-source/tree'));
  if (tar === undefined) return undefined;
  try {
    const lwip = join(cacheDirectory(), 'sources/lwip/tree');
    const compiler = await findCompiler(width);
    const directory = place(width, compiler, tar, existsSync(lwip) ? lwip : undefined);
    return existsSync(directory) ? directory : undefined;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function place(width: Width, compiler: Compiler, tar: string, lwip: string | undefined): string {
  const newlib = newlibPlace(width, compiler, tar);
  return cached('sysroot', width, [
    newlib,
    lwip === undefined ? 'without lwip' : lwipPlace(width, newlib, lwip),
    ...ownFlags,
    JSON.stringify(libraries),
    JSON.stringify(api),
    ...filesIn(ownSources),
  ]);
}

/** What newlib is made from: none of our own sources but those laid over its own. */
const newlibPlace = (width: Width, compiler: Compiler, tar: string): string =>
  cached('newlib', width, [
    compiler.version,
    ...machineFlags(width),
    newlibRecipe,
    ...filesIn(overlay),
    readFileSync(tar),
  ]);

/** lwip's core is made from headers of newlib's alone, and our options. */
const lwipPlace = (width: Width, newlib: string, source: string): string =>
  cached('lwip', width, [newlib, lwipRecipe, ...filesIn(lwipOptions), ...lwipContents(source)]);

function cached(kind: string, width: Width, parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return join(cacheDirectory(), `${kind}-${widths[width].name}-${hash.digest('hex').slice(0, 16)}`);
}

/** Names and contents. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .flatMap((file) => [file.slice(directory.length + 1), readFileSync(file, 'utf8')]);
}

interface Job {
  readonly width: Width;
  readonly compiler: Compiler;
  readonly tar: string;
  /** Its source. */
  readonly lwip: string | undefined;
  readonly progress: Progress;
  readonly options: SysrootOptions;
}

async function fill(temporary: string, job: Job): Promise<void> {
  const { signal } = job.options;
  const work = join(temporary, 'work');
  mkdirSync(work);
  const newlib = newlibPlace(job.width, job.compiler, job.tar);
  await makeOnce(newlib, async (place) => await fillNewlib(place, job), { signal });
  cpSync(newlib, temporary, { recursive: true });
  if (job.lwip !== undefined) await addLwip(temporary, newlib, job.lwip, job);
  cpSync(join(ownSources, 'include'), join(temporary, 'include'), { recursive: true });
  writeFileSync(join(temporary, 'include/mini-os/api.h'), apiHeader(api));
  job.progress.update(0.97, 'our own part');
  await compileOurs(temporary, work, job);
  await linkImportLibrary(temporary, work, job);
  await makeEmptyLibraries(temporary, job);
  copyFileSync(join(ownSources, 'application.lds'), join(temporary, 'lib/application.lds'));
  writeFileSync(join(temporary, 'lib/link.specs'), '*link_libgcc:\n\n\n');
  rmSync(work, { recursive: true });
}

async function addLwip(root: string, newlib: string, source: string, job: Job): Promise<void> {
  const { width, compiler } = job;
  const { signal } = job.options;
  const place = lwipPlace(width, newlib, source);
  const parts = { width, compiler, source, newlib, options: lwipOptions, signal };
  await makeOnce(place, async (temporary) => await buildLwip(parts, temporary), { signal });
  cpSync(place, root, { recursive: true });
}

async function fillNewlib(temporary: string, job: Job): Promise<void> {
  const work = join(temporary, 'work');
  mkdirSync(work);
  await buildNewlib({ ...job, overlay, work, signal: job.options.signal }, temporary);
  rmSync(work, { recursive: true });
  rmSync(join(temporary, widths[job.width].host), { recursive: true, force: true });
}

/** start.c becomes crt0.o, every other file a member of its library. */
async function compileOurs(root: string, work: string, job: Job): Promise<void> {
  const { compiler, width } = job;
  const flags = [
    ...[...machineFlags(width), ...ownFlags, ...includeFlags(compiler, root)],
    ...['-I', join(ownSources, 'src'), `-ffile-prefix-map=${ownSources}=/stubdom`],
  ];
  for (const { name, sources, replaced } of libraries) {
    const members: string[] = [];
    for (const file of sourcesOf(sources, job)) {
      const isStart = file === 'start.c';
      const place = isStart
        ? join(root, 'lib/crt0.o')
        : join(work, `minios-${file.slice(0, -2)}.o`);
      const input = join(ownSources, sources, file);
      await must(job, compiler.command, [...flags, '-c', input, '-o', place]);
      if (!isStart) members.push(place);
    }
    const library = join(root, 'lib', name);
    if (replaced.length > 0)
      await must(job, 'ar', ['dD', library, ...replaced.map((member) => `lib_a-${member}.o`)]);
    await must(job, 'ar', ['rcsD', library, ...members]);
  }
}

/** None of lwip's port without lwip. */
const sourcesOf = (folder: string, { lwip }: Job): string[] =>
  readdirSync(join(ownSources, folder)).filter(
    (entry) => entry.endsWith('.c') && (folder !== 'lwip' || lwip !== undefined),
  );

async function linkImportLibrary(root: string, work: string, job: Job): Promise<void> {
  const source = join(work, 'libminios.s');
  writeFileSync(source, importLibrary(api, job.width));
  await must(job, job.compiler.command, [
    ...[widths[job.width].option, '-shared', '-nostdlib'],
    ...['-Wl,-soname,libminios.so', '-Wl,--build-id=none', '-Wl,--hash-style=sysv'],
    ...[source, '-o', join(root, 'lib/libminios.so')],
  ]);
}

async function makeEmptyLibraries(root: string, job: Job): Promise<void> {
  for (const name of emptyLibraries) await must(job, 'ar', ['rcsD', join(root, 'lib', name)]);
}

async function must(job: Job, command: string, args: string[]): Promise<void> {
  const { status, stderr } = await runProcess(command, args, { signal: job.options.signal });
  if (status !== 0)
    throw new UserError(
      `sysroot: ${command} failed with ${status}: ${stderr.trim().split('\n')[0]}`,
    );
  if (stderr !== '') job.progress.note(stderr.trim());
}
