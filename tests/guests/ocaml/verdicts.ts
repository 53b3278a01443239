/** A test of OCaml's suite, built and run natively or as a guest, in a copy of its directory, judged as its ocamltest does. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MemoryConsole } from '../../../runtime/index.ts';
import type { ModuleCache } from '../../../runtime/recompiler/store/cache.ts';
import type { Width } from '../../../toolchain/index.ts';
import { buildCaml, buildIn } from '../../../toolchain/ocaml/build.ts';
import { type Finished, runProcess } from '../../../toolchain/process.ts';
import { runGuest } from './guest.ts';
import { nativeTree } from './native.ts';
import type { Compiler, SuiteTest } from './suite.ts';

/** Why it fails; undefined where it passes. */
export type Failure = string | undefined;

export interface Verdict {
  readonly name: string;
  readonly compiler: Compiler;
  /** Why it fails natively; then it is not run in a guest. */
  readonly nativeFailure?: string;
  /** Why it fails in the guest. */
  readonly failure?: string;
}

/** Tests that count what happens within seconds: on a busy machine they need more than one try, natively too. */
const byTheClock: ReadonlySet<string> = new Set(['lib-threads/beat.ml']);
const tries = 5;

/** @param cache of translations: bytecode programs share those of their interpreter */
export async function judge(test: SuiteTest, width: Width, cache: ModuleCache): Promise<Verdict> {
  const { name, compiler } = test;
  const atMost = byTheClock.has(name) ? tries : 1;
  const natively = await tried(atMost, () => passesNatively(test, width));
  if (natively !== undefined) return { name, compiler, nativeFailure: natively };
  const failure = await tried(atMost, () => passesAsGuest(test, width, cache));
  return { name, compiler, ...(failure === undefined ? {} : { failure }) };
}

async function tried(atMost: number, attempt: () => Promise<Failure>): Promise<Failure> {
  const failure = await attempt();
  return failure === undefined || atMost === 1 ? failure : await tried(atMost - 1, attempt);
}

/** What a way to run a program gives. */
interface Ran {
  readonly status: number;
  readonly text: string;
}

async function passesNatively(test: SuiteTest, width: Width): Promise<Failure> {
  return await inCopy(test, width, async (directory) => {
    const program = join(directory, 'program.exe');
    const { status, messages } = await buildIn(await nativeTree(width), {
      ...common(test, width, directory),
      ...{ output: program, arguments: [...test.options, ...test.sources] },
    });
    if (status !== 0) return `not built: ${messages}`;
    if (test.runner !== undefined)
      return await throughScript(test, { directory, program, isGuest: false });
    const errors = test.dropsErrors ? '/dev/null' : '&1';
    const command = `exec timeout 120 "$0" "$@" <'${test.input ?? '/dev/null'}' 2>${errors}`;
    const ran = await runProcess('sh', ['-c', command, program, ...test.arguments], {
      cwd: directory,
      env: { ...process.env, ...test.environment },
    });
    return await verdict(test, directory, { status: ran.status, text: ran.stdout });
  });
}

async function passesAsGuest(test: SuiteTest, width: Width, cache: ModuleCache): Promise<Failure> {
  return await inCopy(test, width, async (directory) => {
    const image = join(directory, 'program.elf');
    writeFileSync(join(directory, 'begin_here.ml'), beginning(test));
    const { status, messages } = await buildCaml({
      ...common(test, width, directory),
      ...{ output: image, arguments: [...test.options, 'begin_here.ml', ...test.sources] },
    });
    if (status !== 0) return `not built: ${messages}`;
    if (test.runner !== undefined)
      return await throughScript(test, {
        directory,
        program: asCommand(directory, image),
        isGuest: true,
      });
    const { input, environment } = test;
    const console = new MemoryConsole();
    if (input !== undefined) console.write(readFileSync(resolve(directory, input)));
    console.end();
    const kept = test.compiler === 'bytecode' ? { cache } : {};
    const run = { image, directory, environment, arguments: test.arguments, ...kept };
    const ended = await runGuest(run, console);
    const failure = await verdict(test, directory, ended);
    return failure === undefined ? undefined : `${failure}\n${ended.report ?? ''}`;
  });
}

/** Guests begin at the root of their tree. A script interrupts one by its terminal, which would echo that. */
function beginning({ runner, packages }: SuiteTest): string {
  const lines = ['let () = Sys.chdir "/test"'];
  if (runner !== undefined && packages.includes('threads.posix'))
    lines.push('let () = Unix.(tcsetattr stdin TCSANOW { (tcgetattr stdin) with c_echo = false })');
  return `${lines.join('\n')}\n`;
}

const guest = fileURLToPath(new URL('guest.js', import.meta.url));

/** A script that runs the image as any program is run. */
function asCommand(directory: string, image: string): string {
  const program = join(directory, 'program');
  const words = [process.execPath, guest, image, directory].map((word) => `'${word}'`);
  writeFileSync(program, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`);
  chmodSync(program, 0o755);
  return program;
}

interface Place {
  readonly directory: string;
  readonly program: string;
  readonly isGuest: boolean;
}

async function throughScript(test: SuiteTest, place: Place): Promise<Failure> {
  const { ended, answer } = await runScript(test.runner ?? '', test, place);
  if (ended.status !== 0) return `${test.runner} ended with ${ended.status}: ${ended.stderr}`;
  const output = answer('output') ?? outputIn(place.directory);
  const text = existsSync(output) ? readFileSync(output, 'utf8') : '';
  const status = Number(answer('exit_status') ?? test.status);
  return await verdict(test, place.directory, { status, text });
}

const outputIn = (directory: string): string => join(directory, 'program.output');

/** What a hook of ocamltest's sees, and the variables that it sets in its response. */
async function runScript(
  script: string,
  { environment }: SuiteTest,
  { directory, program, isGuest }: Place,
): Promise<{ ended: Finished; answer: (name: string) => string | undefined }> {
  const response = join(directory, 'ocamltest.response');
  // A guest's limits are those of its own system, not those of the process that it is in.
  const prelude = isGuest ? 'ulimit() { :; }; . "$0"' : '. "$0"';
  const variables = {
    ...{ program, output: outputIn(directory), ocamltest_response: response, SORT: 'sort' },
    ...{ test_source_directory: directory, test_build_directory: directory },
    ...{ TEST_PASS: '0', TEST_FAIL: '1', TEST_SKIP: '125' },
  };
  const ended = await runProcess('timeout', ['300', 'sh', '-c', prelude, join(directory, script)], {
    cwd: directory,
    env: { ...process.env, ...environment, ...variables },
  });
  const said = existsSync(response) ? readFileSync(response, 'utf8') : '';
  return { ended, answer: (name) => new RegExp(`^${name}="([^"]*)"`, 'm').exec(said)?.[1] };
}

const common = (test: SuiteTest, width: Width, cwd: string) => ({
  ...{ width, cwd, packages: test.packages, isBytecode: test.compiler === 'bytecode' },
});

async function inCopy(
  test: SuiteTest,
  width: Width,
  work: (directory: string) => Promise<Failure>,
): Promise<Failure> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-ocaml-'));
  try {
    cpSync(test.directory, directory, { recursive: true });
    return (await helpersFailure(test, width, directory)) ?? (await work(directory));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** They are for the machine itself, whatever the test is built for. */
async function helpersFailure(test: SuiteTest, width: Width, directory: string): Promise<Failure> {
  for (const { program, sources } of test.helpers) {
    const { status, messages } = await buildIn(await nativeTree(width), {
      ...common(test, width, directory),
      ...{ output: join(directory, program), arguments: [...test.options, ...sources] },
    });
    if (status !== 0) return `${program} is not built: ${messages}`;
  }
  return undefined;
}

async function verdict(
  test: SuiteTest,
  directory: string,
  { status, text }: Ran,
): Promise<Failure> {
  if (status !== test.status) return `status ${status}, not ${test.status}: ${text.slice(-2000)}`;
  const shown = `printed:\n${text.slice(0, 2000)}`;
  if (test.checker !== undefined) {
    writeFileSync(outputIn(directory), text);
    const { ended } = await runScript(test.checker, test, {
      directory,
      program: '',
      isGuest: false,
    });
    return ended.status === 0 ? undefined : shown;
  }
  return text.trimEnd() === test.expected.trimEnd() ? undefined : shown;
}
