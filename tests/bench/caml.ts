/**
 * OCaml's own benchmark programs, and a document of JSON read: our image against the same program by Debian's ocamlopt, in turn in one run;
 * and what hello takes from the command to its output.
 */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { type Width, widths } from '../../toolchain/index.ts';
import { buildCaml, buildIn, type CamlBuildOptions } from '../../toolchain/ocaml/build.ts';
import { camlTree } from '../../toolchain/ocaml/caml-tree.ts';
import { findPackages } from '../../toolchain/ocaml/packages.ts';
import { nativeTree } from '../guests/ocaml/native.ts';
import { testFile } from '../support/program.ts';
import { median, type Ratio, ratioOf } from './ratios.ts';
import { firstOutput } from './start-up.ts';
import { cli, runVariant, type Sample } from './variants.ts';

export interface CamlProgram {
  readonly name: string;
  /** About 0.6 s of native time: a program and the runtime around it are more code to optimise than a loop of C's. */
  readonly rounds: number;
  readonly packages: readonly string[];
}

// biome-ignore format: one program a line
export const camlPrograms: readonly CamlProgram[] = [
  { name: 'nbody',         rounds: 10_000_000, packages: ['unix'] },
  { name: 'binary_trees',  rounds: 150_000,    packages: ['unix'] },
  { name: 'fannkuch',      rounds: 8_000_000,  packages: ['unix'] },
  { name: 'spectral_norm', rounds: 6_000,      packages: ['unix'] },
  { name: 'json',          rounds: 1_200,      packages: ['unix', 'yojson'] },
];

export const camlTargets = { ratio: 2.3, helloMilliseconds: 500 } as const;

export interface CamlRow {
  readonly program: CamlProgram;
  readonly width: Width;
  readonly nativeMilliseconds: number;
  readonly stubdom: Ratio;
  readonly first: Ratio;
}

export interface CamlHello {
  readonly width: Width;
  /** Milliseconds to the first output. */
  readonly cold: number;
  readonly cached: number;
}

interface Options {
  readonly runs: number;
  readonly directory: string;
  /** Of the rounds, for tests. */
  readonly share?: number;
}

export async function measureCaml(
  program: CamlProgram,
  width: Width,
  { runs, directory, share = 1 }: Options,
): Promise<CamlRow> {
  const { native, image } = await buildBoth(program, width, directory);
  const rounds = String(Math.ceil(program.rounds * share));
  const samples: Record<'native' | 'stubdom', Sample[]> = { native: [], stubdom: [] };
  const variants = [
    { name: 'native', command: native, arguments: [rounds] },
    { name: 'stubdom', command: process.execPath, arguments: [cli, 'run', image, '--', rounds] },
  ] as const;
  for (let run = 0; run < runs; run++)
    for (const variant of variants)
      samples[variant.name].push(await runVariant(variant, directory));
  const times = samples.native.map((one) => ('failure' in one ? Number.NaN : one.nanoseconds));
  return {
    ...{ program, width, nativeMilliseconds: median(times) / 1e6 },
    stubdom: ratioOf(samples.native, samples.stubdom),
    first: ratioOf(samples.native, samples.stubdom, 'first'),
  };
}

async function buildBoth(
  { name, packages }: CamlProgram,
  width: Width,
  directory: string,
): Promise<{ native: string; image: string }> {
  const native = join(directory, `caml-${name}-${width}`);
  const image = `${native}.elf`;
  const sources = ['bench', name].map((module) => testFile(`bench/ocaml/${module}.ml`));
  const common: Omit<CamlBuildOptions, 'output'> = { width, packages, arguments: sources };
  // Pure packages are the same for both.
  const found = await findPackages(await camlTree(width), packages);
  for (const { status, messages } of [
    await buildIn({ ...(await nativeTree(width)), packages: found }, { ...common, output: native }),
    await buildCaml({ ...common, output: image }),
  ])
    if (status !== 0) throw new Error(`${name}: ${messages}`);
  return { native, image };
}

export async function measureCamlHello(
  width: Width,
  { runs, directory }: Options,
): Promise<CamlHello> {
  const output = join(directory, `hello-caml-${width}.elf`);
  const source = testFile('../examples/hello-ocaml/hello.ml');
  const { status, messages } = await buildCaml({ width, output, arguments: [source] });
  if (status !== 0) throw new Error(messages);
  const [cold, cached]: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run++) {
    const cache = mkdtempSync(join(directory, 'start-up-'));
    cold.push(await firstOutput([cli, 'run', output], cache));
    cached.push(await firstOutput([cli, 'run', output], cache));
  }
  return { width, cold: median(cold), cached: median(cached) };
}

export function camlText({ program, width, nativeMilliseconds, stubdom, first }: CamlRow): string {
  const left = `OCaml ${program.name.padEnd(13)} ${widths[width].name}`;
  if ('wrong' in stubdom) return `${left}  wrong: ${stubdom.wrong}`;
  if ('failure' in stubdom) return `${left}  failed: ${stubdom.failure}`;
  const { ratio, least, most } = stubdom;
  const verdict = ratio <= camlTargets.ratio ? 'met' : 'missed';
  const early = 'ratio' in first ? `, first ${first.ratio.toFixed(2)}` : '';
  return (
    `${left}  ${ratio.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)}) times ocamlopt's ` +
    `${nativeMilliseconds.toFixed(0)} ms${early}; at most ${camlTargets.ratio}: ${verdict}`
  );
}

export function camlHelloText({ width, cold, cached }: CamlHello): string {
  const most = camlTargets.helloMilliseconds;
  return (
    `OCaml hello ${widths[width].name}: first output after ${cold.toFixed(0)} ms cold, ${cached.toFixed(0)} ms cached; ` +
    `at most ${most}: ${cached <= most ? 'met' : 'missed'}`
  );
}
