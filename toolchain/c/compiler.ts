/** gcc of the machine: which it is, where its own headers and libgcc are, and whether it compiles for a width. */
import { UserError } from '../../runtime/errors.ts';
import { runProcess } from '../process.ts';
import { type Width, widths } from './width.ts';

export interface Compiler {
  readonly command: string;
  /** First lines of `gcc --version` and `ld --version`. */
  readonly version: string;
  readonly includeDirectory: string;
  /** libgcc.a of the width. */
  readonly libgcc: string;
}

const packageFor = { 64: 'gcc', 32: 'gcc-multilib' } as const;

/** Throws a UserError that says what to install where gcc cannot make code of this width. */
export async function findCompiler(width: Width): Promise<Compiler> {
  const command = 'gcc';
  const { option } = widths[width];
  const ask = async (...args: string[]) => (await runProcess(command, args)).stdout.trim();
  const [links, version, linker, includeDirectory, libgcc] = await Promise.all([
    canLink(command, width),
    ask('--version'),
    runProcess('ld', ['--version']),
    ask('-print-file-name=include'),
    ask(option, '-print-libgcc-file-name'),
  ]);
  if (version === '')
    throw new UserError('there is no gcc; try: apt-get install gcc', { status: 125 });
  if (linker.status !== 0) throw new UserError('there is no ld; try: apt-get install binutils');
  if (!links)
    throw new UserError(
      `gcc cannot compile for ${widths[width].name} (${option}); try: apt-get install ${packageFor[width]}`,
    );
  const first = (text: string) => text.split('\n', 1)[0] ?? '';
  return {
    command,
    version: `${first(version)}; ${first(linker.stdout)}`,
    includeDirectory,
    libgcc,
  };
}

/** A division of long longs needs libgcc of the width, which is what gcc-multilib adds. */
export async function canLink(command: string, width: Width): Promise<boolean> {
  const { status } = await runProcess(
    command,
    [
      widths[width].option,
      '-nostdlib',
      '-shared',
      '-fPIC',
      '-x',
      'c',
      '-',
      '-lgcc',
      '-o',
      '/dev/null',
    ],
    { input: 'long long f(long long a, long long b) { return a / b; }\n' },
  );
  return status === 0;
}
