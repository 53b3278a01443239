/** Every example is built as its reader would build it, booted in both widths, and says what its expected.txt says. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boot } from '../runtime/index.ts';
import { runProcess } from '../toolchain/process.ts';
import { isFull } from './support/program.ts';
import { projectDirectory } from './support/source-files.ts';

const examples = suite('examples');

const folder = join(projectDirectory, 'examples');
const stubdom = fileURLToPath(new URL('../toolchain/cli/main.js', import.meta.url));

/** As its README says: by a program of its own where it has one, else booted alone. */
async function outputOf(directory: string, file: string): Promise<string> {
  const program = join(directory, 'run.mjs');
  if (!existsSync(program)) return await printed(file);
  const { status, stdout, stderr } = await runProcess(process.execPath, [program, file]);
  assert.is(status, 0, stderr);
  return stdout;
}

async function printed(file: string): Promise<string> {
  const bytes = new Uint8Array(readFileSync(file));
  const { console, exited } = await boot(bytes, { budget: 100_000_000 });
  console.end();
  const { status, report } = await exited;
  assert.is(status, 0, report ?? `${file} ended with status ${status}`);
  return console.text;
}

async function build(directory: string, width: 64 | 32, output: string): Promise<void> {
  const sources = readdirSync(directory).filter((name) => /\.(c|ml)$/.test(name));
  assert.ok(sources.length > 0, `${directory} has no source`);
  const machine = width === 32 ? ['-m32'] : [];
  const options = isCaml(directory) ? toldOptions(directory) : ['-O2'];
  const words = [stubdom, 'build', ...machine, ...options, ...sources, '-o', output];
  const { status, stderr } = await runProcess(process.execPath, words, { cwd: directory });
  assert.is(status, 0, stderr);
}

/** What its README gives `build` in front of the source. */
function toldOptions(directory: string): string[] {
  const text = readFileSync(join(directory, 'README.md'), 'utf8');
  const [, options] = /^npx stubdom build (.*?)examples\/\S+\.ml/m.exec(text) ?? [];
  assert.ok(options !== undefined, `${directory}/README.md does not say how it is built`);
  return options.split(' ').filter((word) => word !== '');
}

const isCaml = (directory: string): boolean =>
  readdirSync(directory).some((name) => name.endsWith('.ml'));

for (const name of readdirSync(folder)) {
  const directory = join(folder, name);
  const expected = () => readFileSync(join(directory, 'expected.txt'), 'utf8');

  if (isCaml(directory) && !isFull)
    process.stdout.write(
      `skipped: ${name}: x86-32 is left out, since it fetches 72 MB of Debian’s; --full has it\n`,
    );
  for (const width of isCaml(directory) && !isFull ? ([64] as const) : ([64, 32] as const))
    examples(`${name}, built for x86-${width}, prints its expected.txt`, async () => {
      const temporary = mkdtempSync(join(tmpdir(), 'stubdom-example-'));
      try {
        const image = join(temporary, `${name}.elf`);
        await build(directory, width, image);

        const shown = await outputOf(directory, image);
        assert.is(isCaml(directory) ? shown.replace('32 bits', '64 bits') : shown, expected());
      } finally {
        rmSync(temporary, { recursive: true });
      }
    });

  for (const image of readdirSync(directory).filter((file) => file.endsWith('.elf')))
    examples(`${name}/${image}, as it is committed, prints the same`, async () => {
      assert.is(await outputOf(directory, join(directory, image)), expected());
    });
}

examples.run();
