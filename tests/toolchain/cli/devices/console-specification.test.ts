/** Consoles beside the first, as the command line has them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConsoleOption } from '../../../../toolchain/cli/devices/console-specification.ts';
import { assertRefused } from '../../../support/assert-refused.ts';

const test = suite('toolchain/cli/devices/console-specification');

test('a number, and files', () => {
  assert.equal(parseConsoleOption('1'), { id: 1, output: undefined, input: undefined });
  assert.equal(parseConsoleOption('12,input=a,output=b/c'), { id: 12, output: 'b/c', input: 'a' });
});

test('what is wrong is said', async () => {
  for (const text of ['0', 'x', '', 'output=a'])
    await assertRefused(() => parseConsoleOption(text), /expected N\[,output=FILE\]/);
  await assertRefused(() => parseConsoleOption('1,file=a'), /no file; there are output, input/);
});

test.run();
