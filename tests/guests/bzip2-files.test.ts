/** bzip2's own command, unchanged, on files of a folder of the host: what it leaves there is what it leaves natively. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fetchDebianSource } from '../../toolchain/index.ts';
import { withExportedFolder } from '../support/exported-folder.ts';
import { isFull, type Program, Workbench } from '../support/program.ts';
import { random } from '../support/random.ts';

const bzip2 = suite<{ bench: Workbench; tree: string }>('guests/bzip2-files');

bzip2.before(async (context) => {
  context.bench = new Workbench();
  context.tree = await fetchDebianSource('bzip2');
});
bzip2.after(({ bench }) => bench.remove());

const names = 'bzip2 bzlib blocksort compress crctable decompress huffman randtable'.split(' ');

const program = (tree: string): Program => ({
  files: names.map((name) => join(tree, `${name}.c`)),
  options: ['-O1'],
});

const time = 1_234_567_890;

function fill(directory: string): void {
  const numbers = random(11);
  const text = Array.from({ length: 3000 }, () => `line ${numbers.below(500)}\n`).join('');
  const files = { text, noise: numbers.bytes(5000), empty: '', 'in.tar': text.slice(0, 999) };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, name), content);
    chmodSync(join(directory, name), 0o640);
    utimesSync(join(directory, name), time, time);
  }
  mkdirSync(join(directory, 'directory'));
  writeFileSync(join(directory, 'bad.bz2'), 'BZh9 but no more');
}

/** Command lines, one behind the other, each with all files as the one before has left them. */
const lines: readonly (readonly [files: string, ...options: string[]])[] = [
  ['text noise empty', '-9', '-k'],
  ['text', '-1'], // is there already
  ['text', '-1', '-f', '-v'],
  ['noise.bz2 empty.bz2', '-t', '-v'],
  ['noise', ''],
  ['noise.bz2', '-d', '-f'],
  ['in.tar', ''],
  ['in.tar.bz2', '-d', '-k', '-c'],
  ['text.bz2 bad.bz2 nothing.bz2 directory', '-d'],
];

/** What of a folder must be the same, natively and in a guest. */
const stateOf = (directory: string): string[] =>
  readdirSync(directory)
    .sort()
    .map((name) => {
      const file = join(directory, name);
      const { mode, size, mtimeMs } = statSync(file);
      const content = existsSync(file) && statSync(file).isFile() ? readFileSync(file) : '';
      const isKept = name.startsWith('bad') || name === 'directory';
      return `${name} ${mode.toString(8)} ${isKept ? '' : `${size} ${mtimeMs}`} ${Buffer.from(content).toString('base64')}`;
    });

for (const width of isFull ? ([64, 32] as const) : ([64] as const))
  bzip2(
    `x86-${width}: commands leave files, their modes and times as natively`,
    async (context) => {
      const { bench, tree } = context;
      await withExportedFolder(async (directory, folders) =>
        withExportedFolder(async (own) => {
          fill(directory);
          fill(own);
          for (const [files, ...options] of lines) {
            const words = (place: string): string[] => [
              ...options.filter((option) => option !== ''),
              ...files.split(' ').map((file) => join(place, file)),
            ];

            const guest = await bench.runGuest(program(tree), width, {
              ...{ arguments: words('/export'), folders },
            });
            const native = await bench.runNative(program(tree), 64, { arguments: words(own) });

            const line = [...options, files].join(' ');
            assert.equal(stateOf(directory), stateOf(own), line);
            assert.is(guest.status, native.status, `${line}: ${guest.output}`);
          }
          assert.ok(readdirSync(directory).includes('empty.bz2'));
        }),
      );
    },
  );

bzip2.run();
