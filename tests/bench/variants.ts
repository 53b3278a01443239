/** The ways a benchmark program runs: natively, as a stub domain, and the native binary under qemu-user; how each is built. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../runtime/errors.ts';
import { build, type Width, widths } from '../../toolchain/index.ts';
import { runProcess } from '../../toolchain/process.ts';
import { type Program, programDirectory } from './programs.ts';

/** The command as it is installed. */
export const cli = fileURLToPath(new URL('../../bin/main.js', import.meta.url));

export type VariantName = 'native' | 'stubdom' | 'qemu';

export interface Variant {
  readonly name: VariantName;
  readonly command: string;
  readonly arguments: readonly string[];
}

/** One run: what it computed, how long its first rounds took and its measured section; or why there is neither. */
export type Sample =
  | { readonly checksum: string; readonly first: number; readonly nanoseconds: number }
  | { readonly failure: string };

/** Of both worlds, so that gcc makes the same instructions for the same CPU; they come after the toolchain's own. */
const sharedFlags: Readonly<Record<Width, readonly string[]>> = {
  64: ['-O2', '-march=x86-64', '-mtune=generic'],
  32: ['-O2', '-march=x86-64', '-mtune=generic', '-msse2', '-mfpmath=sse'],
};

/** What the toolchain tells gcc for guests, where a distribution's gcc may have another default. */
const nativeFlags: readonly string[] = [
  ...['-fno-pie', '-no-pie', '-fno-stack-protector', '-fcf-protection=none'],
];

const emulators: Readonly<Record<Width, string>> = { 64: 'qemu-x86_64', 32: 'qemu-i386' };

export function emulator(width: Width): string | undefined {
  const name = emulators[width];
  const directories = (process.env['PATH'] ?? '').split(':');
  return directories.some((directory) => existsSync(join(directory, name))) ? name : undefined;
}

export async function buildVariants(
  program: Program,
  width: Width,
  directory: string,
): Promise<Variant[]> {
  const sources = ['bench.c', ...program.sources].map((name) => join(programDirectory, name));
  const native = join(directory, `${program.name}-${width}`);
  const image = `${native}.elf`;
  await buildNative(sources, width, native);
  const { status, messages } = await build({
    width,
    output: image,
    arguments: [...sharedFlags[width], ...sources],
  });
  if (status !== 0) throw new UserError(`${program.name}: stubdom build failed: ${messages}`);
  const rounds = String(program.rounds);
  const qemu = emulator(width);
  return [
    { name: 'native', command: native, arguments: [rounds] },
    { name: 'stubdom', command: process.execPath, arguments: [cli, 'run', image, '--', rounds] },
    ...(qemu === undefined
      ? []
      : [{ name: 'qemu', command: qemu, arguments: [native, rounds] } as const]),
  ];
}

/** Static, so that qemu-user runs the same file with no libraries of the width around. */
async function buildNative(
  sources: readonly string[],
  width: Width,
  output: string,
): Promise<void> {
  const { status, stderr } = await runProcess('gcc', [
    ...[widths[width].option, ...sharedFlags[width], ...nativeFlags],
    ...['-static', ...sources, '-lm', '-o', output],
  ]);
  if (status !== 0) throw new UserError(`the native program cannot be built: ${stderr}`);
}

/** What a run may take before it is given up. */
const limitSeconds = 120;

export async function runVariant(variant: Variant, cache: string): Promise<Sample> {
  const signal = AbortSignal.timeout(limitSeconds * 1000);
  try {
    const { status, stdout, stderr } = await runProcess(variant.command, variant.arguments, {
      ...{ signal, env: { ...process.env, STUBDOM_CACHE: cache } },
    });
    if (status !== 0) return { failure: `status ${status}: ${stderr.trim()}` };
    return readSample(stdout);
  } catch (error) {
    if (!signal.aborted) throw error;
    return { failure: `no end after ${limitSeconds} s` };
  }
}

export function readSample(output: string): Sample {
  const [, checksum, first, nanoseconds] =
    /^checksum ([0-9a-f]{16})\r?\nfirst (\d+)\r?\nnanoseconds (\d+)\r?\n$/.exec(output) ?? [];
  if (checksum === undefined || first === undefined || nanoseconds === undefined)
    return { failure: `printed ${JSON.stringify(output.slice(0, 200))}` };
  return { checksum, first: Number(first), nanoseconds: Number(nanoseconds) };
}
