/** A console with files behind it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileConsole } from '../../../../runtime/host/node/file-console.ts';
import { assertRefused } from '../../../support/assert-refused.ts';

const test = suite<{ directory: string }>('runtime/host/node/file-console');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-console-'));
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

test('what comes is in one file, what goes is read from the other, to its end', ({ directory }) => {
  const [output, input] = [join(directory, 'output'), join(directory, 'input')];
  writeFileSync(output, 'what was there');
  writeFileSync(input, 'a line');
  const console = new FileConsole({ output, input });

  assert.is(console.write(bytes('one ')), 'taken');
  assert.is(console.write(bytes('two')), 'taken');
  const read = [3, 0, 10].map((count) => Buffer.from(console.read(count) ?? []).toString());
  assert.equal(read, ['a l', '', 'ine']);
  assert.is(console.input, 'ready');
  assert.is(console.read(10), undefined);
  assert.is(console.input, 'ended');
  console.close();
  assert.is(readFileSync(output, 'latin1'), 'one two');
  assert.equal([console.output, console.write(bytes('x'))], ['closed', 'closed']);
});

test('without files nothing comes, and what is written is lost', () => {
  const console = new FileConsole({ output: undefined, input: undefined });

  assert.equal(
    [console.write(bytes('x')), console.input, console.read(1)],
    ['taken', 'ended', undefined],
  );
});

test('files that cannot be had are refused', async ({ directory }) => {
  const missing = join(directory, 'none/file');
  const refusal = (what: string): string => `${missing}: cannot be ${what}`;

  await assertRefused(
    () => new FileConsole({ output: missing, input: undefined }),
    refusal('written'),
  );
  await assertRefused(
    () => new FileConsole({ output: undefined, input: missing }),
    refusal('read'),
  );
});

test.run();
