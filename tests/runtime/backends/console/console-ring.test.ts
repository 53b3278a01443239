/** The console ring as a guest meets it, whose indices may be anything. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XENCONS_OUT_SIZE, xencons_interface } from '../../../../runtime/abi/io/console.ts';
import type { Console } from '../../../../runtime/backends/console/console.ts';
import { ConsoleRing } from '../../../../runtime/backends/console/console-ring.ts';
import { MemoryConsole } from '../../../../runtime/backends/console/memory-console.ts';
import { MachineMemory, pageSize } from '../../../../runtime/memory/machine-memory.ts';
import { FakeEventPort } from '../../../support/fake-event-port.ts';
import { freshSeed, random } from '../../../support/random.ts';

const ring = suite('runtime/backends/console/console-ring');

const { offsets } = xencons_interface.layout(64);

/** A page with a guest's ring between two that must stay as they are. */
function makeGuest(console: Console) {
  const memory = new MachineMemory();
  const before = memory.allocate(3 * pageSize);
  const host = before + pageSize;
  memory.bytes().fill(0xee, before, host);
  memory.bytes().fill(0xee, host + pageSize, host + 2 * pageSize);
  const port = new FakeEventPort();
  const page = xencons_interface.layout(64).at(memory, host);
  const print = (text: string): void => {
    for (const byte of new TextEncoder().encode(text)) {
      memory.view().setUint8(host + offsets.out + (page.out_prod % XENCONS_OUT_SIZE), byte);
      page.out_prod++;
    }
    port.send();
  };
  const typed = (): string => {
    let text = '';
    for (; page.in_cons !== page.in_prod; page.in_cons++)
      text += String.fromCharCode(memory.view().getUint8(host + (page.in_cons % 1024)));
    return text;
  };
  const neighbours = (): boolean =>
    [before, host + pageSize].every((start) =>
      memory
        .bytes()
        .subarray(start, start + pageSize)
        .every((byte) => byte === 0xee),
    );
  const served = new ConsoleRing({ memory, host, port, console });
  return { memory, host, page, port, print, typed, neighbours, ring: served };
}

/** Takes nothing while it is full. */
function narrowConsole() {
  let changed = (): void => {};
  const state = { output: 'open' as Console['output'], text: '' };
  const console: Console = {
    isTerminal: false,
    write: (bytes) => {
      if (state.output === 'open') state.text += new TextDecoder().decode(bytes);
      return state.output === 'open' ? 'taken' : state.output;
    },
    read: () => new Uint8Array(),
    input: 'waiting',
    get output() {
      return state.output;
    },
    listen: (listener) => {
      changed = listener;
    },
    flush: () => Promise.resolve(),
  };
  const turn = (output: Console['output']): void => {
    state.output = output;
    changed();
  };
  return { console, state, turn };
}

ring('what the guest prints arrives, and the guest hears that it has room again', () => {
  const outside = new MemoryConsole();
  const { page, port, print } = makeGuest(outside.guest);

  print('Hello, world\n');

  assert.is(outside.text, 'Hello, world\n');
  assert.is(page.out_cons, 13);
  assert.is(port.notified, 1);
});

ring('text goes around the end of the ring', () => {
  const outside = new MemoryConsole();
  const { page, print } = makeGuest(outside.guest);
  page.out_cons = 0xffff_fffe;
  page.out_prod = 0xffff_fffe;

  print('around');

  assert.is(outside.text, 'around');
  assert.is(page.out_cons, 4);
});

ring('what is typed is there for the guest, all of it in turn', () => {
  const outside = new MemoryConsole();
  const { port, page, typed } = makeGuest(outside.guest);
  const text = 'abcdefg'.repeat(300);

  outside.write(text);
  const first = typed();
  port.send();
  const second = typed();
  port.send();

  assert.is(first.length, 1024);
  assert.is(first + second + typed(), text);
  assert.is(page.in_prod, 2100);
  assert.is(port.notified, 3);
});

ring('a full console holds the guest back, a closed one loses what it prints', () => {
  const { console, state, turn } = narrowConsole();
  const { page, port, print } = makeGuest(console);
  turn('full');

  print('waits');
  assert.equal([page.out_cons, port.notified, state.text], [0, 0, '']);
  turn('open');
  assert.equal([page.out_cons, port.notified, state.text], [5, 1, 'waits']);
  turn('closed');
  print('lost');

  assert.equal([page.out_cons, state.text], [9, 'waits']);
});

ring('finish waits for the last words, and then looks no more', async () => {
  const { console, state, turn } = narrowConsole();
  const guest = makeGuest(console);
  turn('full');
  guest.print('last words');

  const finished = guest.ring.finish();
  turn('open');
  await finished;
  guest.print('a ghost');

  assert.is(state.text, 'last words');
  assert.ok(guest.port.isClosed);
});

ring('indices that are too far apart move nothing', () => {
  const outside = new MemoryConsole();
  const { page, port } = makeGuest(outside.guest);
  page.out_prod = 2049;
  page.in_prod = 5;
  page.in_cons = 6;

  port.send();
  outside.write('typed');

  assert.equal([outside.text, page.out_cons, page.in_prod, port.notified], ['', 0, 5, 0]);
});

ring('whatever the guest writes into the ring, nothing else changes', () => {
  const seed = freshSeed();
  const { u32, below } = random(seed);
  const outside = new MemoryConsole();
  const { memory, host, page, port, neighbours } = makeGuest(outside.guest);
  const index = (near: number): number => (below(2) === 0 ? u32() : near + below(4200) - 2100);

  for (let round = 0; round < 20_000; round++) {
    page.in_cons = index(page.in_prod);
    if (below(8) === 0) page.in_prod = index(page.in_cons);
    page.out_prod = index(page.out_cons);
    if (below(8) === 0) page.out_cons = index(page.out_prod);
    const pending = (page.out_prod - page.out_cons) >>> 0;
    const [cons, prod] = [page.out_cons, page.out_prod];
    memory.bytes().fill(65 + (round % 26), host + offsets.out, host + offsets.in_cons);
    const before = outside.text.length;
    if (below(4) === 0) outside.write('x'.repeat(below(3000)));
    port.send();
    const printed = outside.text.length - before;
    const at = `seed ${seed}, round ${round}`;

    assert.is(printed, pending > 2048 ? 0 : pending, at);
    assert.is(page.out_cons, pending > 2048 ? cons : prod, at);
  }

  assert.ok(neighbours(), `seed ${seed}`);
});

ring.run();
