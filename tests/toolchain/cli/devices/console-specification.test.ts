/** Consoles beside the first, as the command line has them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  parseChannel,
  parseConsoleOption,
  parseConsoleOptions,
} from '../../../../toolchain/cli/devices/console-specification.ts';
import { assertRefused } from '../../../support/assert-refused.ts';

const test = suite('toolchain/cli/devices/console-specification');

const nothing = { name: undefined, output: undefined, input: undefined, socket: undefined };

test('a number, and files or a socket', () => {
  assert.equal(parseConsoleOption('1'), { ...nothing, id: 1 });
  const files = { ...nothing, output: 'b/c', input: 'a' };
  assert.equal(parseConsoleOption('12,input=a,output=b/c'), { ...files, id: 12 });
  const named = { ...nothing, id: 2, name: 'org.example', socket: '/a' };
  assert.equal(parseConsoleOption('2,name=org.example,socket=/a'), named);
});

test('what is wrong is said', async () => {
  for (const text of ['0', 'x', '', 'output=a'])
    await assertRefused(() => parseConsoleOption(text), /expected N\[,output=FILE\]/);
  await assertRefused(() => parseConsoleOption('1,file=a'), /no file; there are output, input/);
  await assertRefused(() => parseConsoleOption('1,socket=a,input=b'), /in place of files/);
});

test('numbers are each its own', async () => {
  assert.equal(
    parseConsoleOptions(['2', '1']).map(({ id }) => id),
    [2, 1],
  );
  await assertRefused(() => parseConsoleOptions(['1', '2', '1']), '--console 1: 1 is given twice');
});

test('a channel of a cfg file', async () => {
  const channel = parseChannel('connection=SOCKET, path=/tmp/a, name=org.example');
  assert.equal(channel, { ...nothing, name: 'org.example', socket: '/tmp/a' });
  await assertRefused(() => parseChannel('connection=pty'), /pty is not supported yet/);
  await assertRefused(() => parseChannel('name=a'), /connection=: expected socket/);
  await assertRefused(() => parseChannel('connection=socket'), /path must be given/);
  await assertRefused(() => parseChannel('connection=socket,path=a,type=b'), /no type; there are/);
});

test.run();
