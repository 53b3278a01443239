/** Expecting what a guest prints. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryConsole } from '../../../../runtime/backends/console/memory-console.ts';

const console = suite('runtime/backends/console/memory-console');

const print = (to: MemoryConsole, text: string): unknown =>
  to.guest.write(new TextEncoder().encode(text));

const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no failure',
    (error: Error) => error.message,
  );

console('expect finds what was printed, and what will be', async () => {
  const memory = new MemoryConsole();
  print(memory, 'login: ');

  assert.is(await memory.expect('login:'), 'login:');
  const later = memory.expect(/password/);
  print(memory, 'pass');
  print(memory, 'word');

  assert.is(await later, 'password');
});

console('each expect looks behind the one before', async () => {
  const memory = new MemoryConsole();
  print(memory, '1 2 3');

  assert.equal([await memory.expect(/\d/), await memory.expect(/\d/)], ['1', '2']);
});

console('a character that comes in two writes is whole', async () => {
  const memory = new MemoryConsole();
  const [first, ...rest] = new TextEncoder().encode('é!');
  memory.guest.write(Uint8Array.of(first ?? 0));
  memory.guest.write(Uint8Array.from(rest));

  assert.is(await memory.expect('é!'), 'é!');
});

console('an expect that is not met in time says what was printed instead', async () => {
  const memory = new MemoryConsole();
  print(memory, 'error 5');

  const message = await failure(memory.expect('ready', { timeout: 5 }));

  assert.is(message, 'console: expected ready, nothing within 5 ms; printed since: "error 5"');
});

console('the end of the guest fails whoever still waits', async () => {
  const memory = new MemoryConsole();
  const waiting = failure(memory.expect('never'));
  print(memory, 'last words');
  memory.finish('the guest has ended with status 3');

  assert.match(await waiting, /the guest has ended with status 3; printed since: "last words"/);
  assert.is(await memory.expect('last'), 'last');
  assert.match(await failure(memory.expect('more')), /has ended/);
});

console('input is taken in order, and its end comes after it', () => {
  const memory = new MemoryConsole();
  const { guest } = memory;
  memory.write('ab');
  memory.write('c');
  memory.end();

  assert.equal([...(guest.read(1) ?? [])], [97]);
  assert.equal([...(guest.read(9) ?? [])], [98]);
  assert.is(guest.input, 'ready');
  assert.equal([...(guest.read(9) ?? [])], [99]);
  assert.is(guest.read(9), undefined);
  assert.is(guest.input, 'ended');
});

console('a closed console takes nothing', () => {
  const memory = new MemoryConsole();
  memory.close();

  assert.is(print(memory, 'x'), 'closed');
  assert.is(memory.guest.output, 'closed');
  assert.is(memory.text, '');
});

console.run();
