/** `npm start`: a guest's console at once. The example is built where that takes no set-up, else its prebuilt images run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultMemory, UserError } from '../../runtime/index.ts';
import { build } from '../c/build.ts';
import { cachedSysroot } from '../c/sysroot.ts';
import { type Width, widths } from '../c/width.ts';
import { runImage } from './run-image.ts';

/** The compiled JavaScript lies three directories below the checkout. */
const example = fileURLToPath(new URL('../../../examples/hello-c', import.meta.url));

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

async function start(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-start-'));
  try {
    let status = 0;
    let isBuilt = true;
    for (const width of [64, 32] as const) {
      const own = await buildExample(width, directory);
      isBuilt &&= own !== undefined;
      const image = own ?? join(example, `hello-${width}.elf`);
      say(
        `\n— ${widths[width].name}: ${own === undefined ? 'the prebuilt image' : 'built just now'} —`,
      );
      status ||= await runImage(process, {
        ...{ image, arguments: [], environment: {}, memory: defaultMemory },
      });
    }
    say(advice(isBuilt));
    return status;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Undefined where no sysroot is cached, or it cannot be used. */
async function buildExample(width: Width, directory: string): Promise<string | undefined> {
  if ((await cachedSysroot(width)) === undefined) return undefined;
  const output = join(directory, `hello-${width}.elf`);
  try {
    const source = join(example, 'hello.c');
    const { status, messages } = await build({ width, output, arguments: ['-O2', source] });
    if (status === 0) return output;
    say(messages);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    say(`stubdom: ${error.message}`);
  }
  return undefined;
}

const advice = (isBuilt: boolean): string =>
  [
    '',
    isBuilt ? 'Another one:' : 'To build your own (the first time takes some minutes):',
    '  npx stubdom build examples/hello-c/hello.c -o hello.elf',
    '  npx stubdom run hello.elf -- a b',
    ...(isBuilt ? [] : ['  npx stubdom doctor      says what building needs']),
  ].join('\n');

process.exitCode = await start().catch((error: unknown) => {
  if (!(error instanceof UserError)) throw error;
  say(`stubdom: ${error.message}`);
  return error.status;
});
