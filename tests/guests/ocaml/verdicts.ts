/** A test of OCaml's suite, built and run natively or as a guest, in a copy of its directory. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openFolder } from '../../../runtime/host/node/host-folder.ts';
import { boot } from '../../../runtime/index.ts';
import type { Width } from '../../../toolchain/index.ts';
import { buildCaml, buildIn } from '../../../toolchain/ocaml/build.ts';
import { runProcess } from '../../../toolchain/process.ts';
import { nativeTree } from './native.ts';
import type { Compiler, SuiteTest } from './suite.ts';

/** Why it fails; undefined where it passes. */
export type Failure = string | undefined;

export interface Verdict {
  readonly name: string;
  readonly compiler: Compiler;
  readonly passesNatively: boolean;
  /** In the guest; undefined also where it was not run because it fails natively. */
  readonly failure?: string;
}

export async function judge(test: SuiteTest, width: Width): Promise<Verdict> {
  const { name, compiler } = test;
  const natively = await passesNatively(test, width);
  if (natively !== undefined) return { name, compiler, passesNatively: false };
  const failure = await passesAsGuest(test, width);
  return { name, compiler, passesNatively: true, ...(failure === undefined ? {} : { failure }) };
}

/** Polls that no test needs, so that none runs for ever. */
const budget = 1_000_000_000;

async function passesNatively(test: SuiteTest, width: Width): Promise<Failure> {
  return await inCopy(test, async (directory) => {
    const image = join(directory, 'program.exe');
    const { status, messages } = await buildIn(await nativeTree(width), {
      ...common(test, width, directory),
      ...{ output: image, arguments: [...test.options, ...test.sources] },
    });
    if (status !== 0) return `not built: ${messages}`;
    const command = `exec timeout 120 ./program.exe "$@" ${redirected(test)} 2>&1`;
    const ran = await runProcess('sh', ['-c', command, 'sh', ...test.arguments], {
      cwd: directory,
      env: { ...process.env, ...test.environment },
    });
    return verdict(test, ran.stdout, ran.status);
  });
}

async function passesAsGuest(test: SuiteTest, width: Width): Promise<Failure> {
  return await inCopy(test, async (directory) => {
    const image = join(directory, 'program.elf');
    // Guests begin at the root of their tree.
    writeFileSync(join(directory, 'begin_here.ml'), 'let () = Sys.chdir "/test"\n');
    const { status, messages } = await buildCaml({
      ...common(test, width, directory),
      ...{ output: image, arguments: [...test.options, 'begin_here.ml', ...test.sources] },
    });
    if (status !== 0) return `not built: ${messages}`;
    const folder = openFolder(directory);
    try {
      const { console, exited } = await boot(new Uint8Array(readFileSync(image)), {
        ...{ budget, memory: 512 * 2 ** 20, arguments: test.arguments },
        ...{ environment: test.environment, name: 'program' },
        folders: [{ at: '/test', folder, isReadOnly: false }],
      });
      if (test.input !== undefined) console.write(readFileSync(resolve(directory, test.input)));
      console.end();
      const { status: ended, report } = await exited;
      const failure = verdict(test, console.text.replaceAll('\r\n', '\n'), ended);
      return failure === undefined ? undefined : `${failure}\n${report ?? ''}`;
    } finally {
      folder.close();
    }
  });
}

const common = (test: SuiteTest, width: Width, cwd: string) => ({
  ...{ width, cwd, packages: test.packages, isBytecode: test.compiler === 'bytecode' },
});

const redirected = ({ input }: SuiteTest): string =>
  input === undefined ? '</dev/null' : `<'${input}'`;

async function inCopy(
  test: SuiteTest,
  work: (directory: string) => Promise<Failure>,
): Promise<Failure> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-ocaml-'));
  try {
    cpSync(test.directory, directory, { recursive: true });
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function verdict(test: SuiteTest, text: string, status: number): Failure {
  if (status !== test.status) return `status ${status}, not ${test.status}: ${text.slice(-2000)}`;
  const blank = (words: string): string => words.trimEnd();
  if (blank(text) === blank(test.expected)) return undefined;
  return `printed:\n${text.slice(0, 2000)}`;
}
