/** A console with a socket behind it, which programs of the host connect to. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openSocketConsole } from '../../../../runtime/host/node/socket-console.ts';
import { assertRefused } from '../../../support/assert-refused.ts';

const test = suite<{ directory: string }>('runtime/host/node/socket-console');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-console-'));
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}

/** What has come is its text. */
async function client(path: string): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect(path);
  let text = '';
  socket.setEncoding('latin1').on('data', (more) => (text += more));
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, text: () => text };
}

test('one client at a time has it, and what is printed for nobody is lost', async ({
  directory,
}) => {
  const path = join(directory, 'socket');
  const console = await openSocketConsole(path);
  let changes = 0;
  console.listen(() => changes++);
  assert.is(console.write(bytes('lost')), 'taken');

  const one = await client(path);
  one.socket.write('typed');
  await until(() => changes > 0);
  assert.is(console.input, 'ready');
  assert.is(Buffer.from(console.read(3) ?? []).toString(), 'typ');
  assert.is(Buffer.from(console.read(10) ?? []).toString(), 'ed');
  assert.equal([console.input, console.read(1)?.length], ['waiting', 0]);
  console.write(bytes('shown'));
  await until(() => one.text() === 'shown');
  const refused = await client(path);
  await new Promise((resolve) => refused.socket.once('close', resolve));
  assert.is(refused.text(), '');
  one.socket.destroy();
  await until(() => changes > 1);

  const next = await client(path);
  next.socket.write('more');
  await until(() => console.input === 'ready');
  console.write(bytes('last'));
  await console.flush();
  console.close();
  await until(() => next.text() === 'last');
  assert.equal([console.input, console.output, existsSync(path)], ['ended', 'closed', false]);
  assert.is(console.write(bytes('x')), 'closed');
});

test('a client that does not read is waited for', async ({ directory }) => {
  const path = join(directory, 'socket');
  const console = await openSocketConsole(path);
  let changes = 0;
  console.listen(() => changes++);
  const { socket, text } = await client(path);
  socket.pause();
  await turn();
  let written = 0;
  while (console.write(new Uint8Array(65536).fill(0x61)) === 'taken') {
    written += 65536;
    await turn();
  }
  assert.is(console.output, 'full');

  socket.resume();
  await until(() => text().length >= written);
  await until(() => console.output === 'open');

  assert.ok(changes > 0);
  socket.destroy();
  console.close();
});

test('a socket that was left is taken away, and nothing else is', async ({ directory }) => {
  const path = join(directory, 'socket');
  const first = await openSocketConsole(path);
  const second = await openSocketConsole(path);
  first.close();
  second.close();
  writeFileSync(join(directory, 'file'), '');

  await assertRefused(() => openSocketConsole(join(directory, 'file')), /no socket can be made/);
  await assertRefused(() => openSocketConsole(join(directory, 'no/socket')), /no socket can be/);
  assert.ok(existsSync(join(directory, 'file')));
});

test.run();
