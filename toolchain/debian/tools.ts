/** The programs of the machine that this half of the project stands on, and the Debian packages they come in. */
import { existsSync, readdirSync } from 'node:fs';
import { UserError } from '../../runtime/errors.ts';
import { canLink } from '../c/compiler.ts';
import { runProcess } from '../process.ts';
import { aptEnvironment, failed } from './packages.ts';

interface Tool {
  readonly package: string;
  readonly purpose: string;
  readonly present: () => boolean | Promise<boolean>;
}

const inPath = (command: string) => (): boolean =>
  (process.env['PATH'] ?? '').split(':').some((directory) => existsSync(`${directory}/${command}`));

/** Users have no sbin in their PATH. */
const inSbin = (command: string) => (): boolean =>
  inPath(command)() || existsSync(`/usr/sbin/${command}`) || existsSync(`/sbin/${command}`);

const NEWLIB = '/usr/src/newlib';

// biome-ignore format: one tool a line
export const tools = {
  gcc: { package: 'gcc', purpose: 'compiles x86-64 guests', present: () => canLink('gcc', 64) },
  'gcc -m32': { package: 'gcc-multilib', purpose: 'compiles x86-32 guests', present: () => canLink('gcc', 32) },
  ld: { package: 'binutils', purpose: 'links guests', present: inPath('ld') },
  make: { package: 'make', purpose: 'builds newlib', present: inPath('make') },
  xz: { package: 'xz-utils', purpose: 'unpacks sources', present: inPath('xz') },
  bzip2: { package: 'bzip2', purpose: 'unpacks sources', present: inPath('bzip2') },
  'newlib-source': { package: 'newlib-source', purpose: "the guests' C library", present: () => newlibTar() !== undefined },
  'libc6-dev': { package: 'libc6-dev', purpose: 'compiles native programs to compare with', present: () => existsSync('/usr/include/stdio.h') },
  flock: { package: 'util-linux', purpose: 'locks files that are disks', present: inPath('flock') },
  fallocate: { package: 'util-linux', purpose: 'gives back what a guest discards', present: inPath('fallocate') },
  mke2fs: { package: 'e2fsprogs', purpose: 'makes the disks of tests', present: inSbin('mke2fs') },
  'qemu-img': { package: 'qemu-utils', purpose: 'makes and checks the disks of tests', present: inPath('qemu-img') },
  strace: { package: 'strace', purpose: 'watches flushes in tests', present: inPath('strace') },
  'apt-get': { package: 'apt', purpose: 'fetches Debian sources', present: inPath('apt-get') },
} as const satisfies Readonly<Record<string, Tool>>;

export type ToolName = keyof typeof tools;

/** Nobody but this project's own tests needs them. */
export const testTools: ReadonlySet<ToolName> = new Set(['mke2fs', 'qemu-img', 'strace']);

/** Debian's newlib-source installs one tar. */
export function newlibTar(root = ''): string | undefined {
  const directory = `${root}${NEWLIB}`;
  if (!existsSync(directory)) return undefined;
  const name = readdirSync(directory).find((file) => /^newlib-.*\.tar\.\w+$/.test(file));
  return name === undefined ? undefined : `${directory}/${name}`;
}

export async function missingTools(names: readonly ToolName[]): Promise<ToolName[]> {
  const present = await Promise.all(names.map(async (name) => await tools[name].present()));
  return names.filter((_, index) => !present[index]);
}

/** The one line that gets them. */
export function installLine(names: readonly ToolName[]): string {
  const packages = [...new Set(names.map((name) => tools[name].package))];
  return `apt-get install -y ${packages.join(' ')}`;
}

/** Root installs what is missing; anyone else is told the line. */
export async function ensureTools(
  names: readonly ToolName[],
  options: { onInstall?: (line: string) => void } = {},
): Promise<void> {
  const missing = await missingTools(names);
  if (missing.length === 0) return;
  const line = installLine(missing);
  if (process.getuid?.() !== 0)
    throw new UserError(`missing: ${missing.join(', ')}; try: sudo ${line}`);
  options.onInstall?.(line);
  const apt = async (...args: string[]) =>
    await runProcess('apt-get', ['-q', ...args], { env: aptEnvironment() });
  await apt('update'); // where it fails, the lists there may still do
  const result = await apt(...line.split(' ').slice(1), '--no-install-recommends');
  if (result.status !== 0) throw failed(line, result);
  const still = await missingTools(names);
  if (still.length > 0) throw new UserError(`still missing after ${line}: ${still.join(', ')}`);
}
