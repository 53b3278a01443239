/** A guest’s side of TCP played by hand: what is lost, what comes twice, what does not fit, and how it all ends. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Clock } from '../../../../runtime/domain/clock.ts';
import type { HostStream } from '../../../../runtime/network/host-sockets.ts';
import { Connection } from '../../../../runtime/network/tcp/connection.ts';
import { type Segment, TCP_FLAG } from '../../../../runtime/network/tcp/segment.ts';

const test = suite('runtime/network/tcp/connection');

const { SYN, ACK, FIN, RST, PSH } = TCP_FLAG;
type Sent = Omit<Segment, 'sourcePort' | 'destinationPort'>;

const none = new Uint8Array(0);
const bytes = (length: number, first = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, n) => first + n);
/** What is owed for a moment is sent at its end. */
const moment = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A connection that begins at 1000, with a guest that begins at 5000. */
function begin() {
  const sent: Sent[] = [];
  const did: string[] = [];
  const timers: (() => void)[] = [];
  const taken: (() => void)[] = [];
  const clock: Clock = {
    ...{ monotonic: () => 0n, realtime: () => 0n, turn: () => Promise.resolve() },
    after: (_, call) => {
      timers.push(call);
      return () => timers.splice(timers.indexOf(call), 1);
    },
  };
  const connection = new Connection({
    ...{ clock, initialSequence: 1000, send: (segment) => sent.push(segment) },
    closed: () => did.push('closed'),
  });
  const stream: HostStream = {
    write: (data, done) => {
      did.push(`write ${data.length}`);
      taken.push(done);
    },
    end: () => did.push('end'),
    destroy: () => did.push('destroy'),
    pause: () => did.push('pause'),
    resume: () => did.push('resume'),
  };
  const say = (segment: Partial<Segment>): void =>
    connection.receive({
      ...{ sourcePort: 1, destinationPort: 2, sequence: 5001, acknowledgment: 1001 },
      ...{ flags: ACK, window: 1000, data: none, ...segment },
    });
  /** What was sent since it was asked last. */
  const news = async (): Promise<Sent[]> => {
    await moment();
    return sent.splice(0);
  };
  return { connection, stream, say, news, did, timers, taken };
}

const syn: Segment = {
  ...{ sourcePort: 1, destinationPort: 2, sequence: 5000, acknowledgment: 0, flags: SYN },
  ...{ window: 1000, maximumSize: 100, data: none },
};

async function opened() {
  const all = begin();
  all.connection.accept(syn, all.stream);
  all.connection.opened();
  await all.news();
  all.say({});
  await all.news();
  return all;
}

test('a guest that asks is answered when the host has answered', async () => {
  const { connection, stream, say, news } = begin();
  connection.accept(syn, stream);
  assert.equal(await news(), []);

  connection.opened();
  const [answer] = await news();
  assert.equal([answer?.flags, answer?.sequence, answer?.acknowledgment], [SYN | ACK, 1000, 5001]);
  assert.is(answer?.windowScale, undefined, 'the guest does not scale');

  say({ flags: SYN, sequence: 5000 });
  const [again] = await news();
  assert.equal(again, answer, 'asked again, answered again');
});

test('a host that refuses resets', async () => {
  const { connection, stream, news, did } = begin();
  connection.accept(syn, stream);

  connection.failed('ECONNREFUSED');

  const [answer] = await news();
  assert.equal([answer?.flags, answer?.acknowledgment], [RST | ACK, 5001]);
  assert.equal(did, ['destroy', 'closed']);
});

test('the host’s data goes as far as the window, and again where it is lost', async () => {
  const { connection, say, news, timers } = await opened();

  connection.data(bytes(2500));
  const first = await news();
  assert.equal(
    first.map(({ sequence, data, flags }) => [sequence, data.length, flags]),
    [[1001, 1000, ACK | PSH]],
  );

  timers[0]?.();
  const again = await news();
  assert.equal(again, first, 'all of it again');

  say({ acknowledgment: 1601 });
  const rest = await news();
  assert.equal(
    rest.map(({ sequence, data }) => [sequence, data.length]),
    [[2001, 600]],
  );
});

test('a closed window is asked, a byte at a time', async () => {
  const { connection, say, news, timers } = await opened();
  say({ window: 0 });
  connection.data(bytes(10));
  assert.equal(await news(), []);

  timers[0]?.();
  const [probe] = await news();
  assert.equal([probe?.sequence, probe?.data], [1001, bytes(1)]);

  say({ acknowledgment: 1002, window: 100 });
  const [rest] = await news();
  assert.equal([rest?.sequence, rest?.data], [1002, bytes(9, 1)]);
});

test('the guest’s data is taken in order, once, and acknowledged together', async () => {
  const { say, news, did } = await opened();

  say({ sequence: 5001, data: bytes(10) });
  say({ sequence: 5001, data: bytes(10) });
  say({ sequence: 5006, data: bytes(10) });
  say({ sequence: 5050, data: bytes(10) });

  assert.equal(did, ['write 10', 'write 5']);
  const acknowledged = (await news()).map(({ acknowledgment }) => acknowledgment);
  assert.equal(acknowledged, [5016]);
});

test('what the host does not take closes the window, and taking it opens it', async () => {
  const { say, news, taken } = await opened();
  const chunk = 65_536;
  for (let n = 0; n < 9; n++) say({ sequence: 5001 + n * chunk, data: new Uint8Array(chunk) });

  const [full] = await news();
  assert.equal([full?.window, full?.acknowledgment], [0, 5001 + 8 * chunk]);

  for (const done of taken) done();
  const [open] = await news();
  assert.is(open?.window, 0xffff);
});

test('either side may end first, and what is under way still arrives', async () => {
  const hostFirst = await opened();
  hostFirst.connection.data(bytes(3));
  hostFirst.connection.ended();
  const sent = await hostFirst.news();
  assert.equal(
    sent.map(({ flags }) => flags),
    [ACK | PSH, FIN | ACK],
  );
  hostFirst.say({ acknowledgment: 1005, data: bytes(4) });
  hostFirst.say({ acknowledgment: 1005, sequence: 5005, flags: FIN | ACK });
  const [last] = await hostFirst.news();
  assert.is(last?.acknowledgment, 5006);
  assert.equal(hostFirst.did, ['write 4', 'end', 'closed'], 'the stream ends by itself');

  const guestFirst = await opened();
  guestFirst.say({ flags: FIN | ACK, data: bytes(2) });
  guestFirst.connection.data(bytes(5));
  guestFirst.connection.ended();
  await guestFirst.news();
  guestFirst.say({ sequence: 5004, acknowledgment: 1007 });
  assert.equal(guestFirst.did, ['write 2', 'end', 'closed']);
});

test('a reset is believed only of the number that is expected', async () => {
  const { say, did } = await opened();
  say({ flags: RST, sequence: 5002 });
  assert.equal(did, []);

  say({ flags: RST, sequence: 5001 });
  assert.equal(did, ['destroy', 'closed']);
});

test('who never answers is given up', async () => {
  const { connection, news, timers, did } = await opened();
  connection.data(bytes(1));
  for (let n = 0; n < 20 && timers.length > 0; n++) timers[0]?.();

  const sent = await news();
  assert.is(sent.at(-1)?.flags, RST | ACK);
  assert.equal(did, ['destroy', 'closed']);
});

test('a connection from outside begins when the guest has agreed', async () => {
  const { connection, stream, say, news, did } = begin();
  connection.open(stream);
  const [ask] = await news();
  assert.equal([ask?.flags, ask?.sequence], [SYN, 1000]);

  say({ flags: SYN | ACK, sequence: 5000, acknowledgment: 999 });
  assert.equal(did, ['pause']);
  // With ECE, as of a guest that knows RFC 3168.
  say({ flags: SYN | ACK | 0x40, sequence: 5000, acknowledgment: 1001, windowScale: 2 });
  assert.equal(did, ['pause', 'resume']);
  const [agreed] = await news();
  assert.equal([agreed?.flags, agreed?.acknowledgment], [ACK, 5001]);
});

test.run();
