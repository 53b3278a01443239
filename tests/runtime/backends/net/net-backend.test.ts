/** What a front-end sends and receives, what it can do for itself, and what becomes of lies. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  NETIF_RSP,
  NETRXF,
  NETTXF,
  XEN_NETIF_EXTRA_TYPE,
  XEN_NETIF_GSO_TYPE,
} from '../../../../runtime/abi/io/netif.ts';
import { parseIpv4, parseMac } from '../../../../runtime/network/addresses.ts';
import { writePacket } from '../../../../runtime/network/ipv4.ts';
import { complete } from '../../../../runtime/network/offload.ts';
import { TCP_FLAG, writeSegment } from '../../../../runtime/network/tcp/segment.ts';
import { hasExtra, NetFrontEnd } from '../../../support/net-front-end.ts';
import { freshSeed, random } from '../../../support/random.ts';

const test = suite('runtime/backends/net/net-backend');

const noise = random(5).bytes(0x1_0000);
const heads = { to: parseMac('0:1:2:3:4:5'), from: parseMac('0:1:2:3:4:6'), identification: 9 };

/** A TCP segment whose checksum is blank. */
const tcpFrame = (length: number): Uint8Array =>
  writePacket(
    writeSegment(
      { source: parseIpv4('10.0.2.2'), destination: parseIpv4('10.0.2.15') },
      {
        ...{ sourcePort: 80, destinationPort: 1000, sequence: 5, acknowledgment: 6 },
        ...{ flags: TCP_FLAG.ACK, window: 100, data: noise.slice(0, length) },
      },
    ),
    heads,
  );

test('a frame in one slot goes out as it is', () => {
  const front = new NetFrontEnd();
  const frame = noise.slice(0, 100);
  front.queue({ gref: front.page(frame, 50), offset: 50, flags: 0, id: 7, size: 100 });

  front.push();

  assert.equal(front.frames, [{ bytes: frame }]);
  assert.equal(front.sent(), [[7, NETIF_RSP.OKAY]]);
  assert.is(front.grants.mapped, 0);
});

test('a frame in several slots is one, and its segment size goes with it', () => {
  const front = new NetFrontEnd();
  const frame = noise.slice(0, 9000);
  const { more_data, extra_info, csum_blank } = NETTXF;
  const first = { gref: front.page(frame.subarray(0, 3000), 9), offset: 9, id: 1, size: 9000 };
  front.queue({ ...first, flags: more_data | extra_info | csum_blank });
  front.queueExtra({
    ...{ type: XEN_NETIF_EXTRA_TYPE.GSO, flags: 0, size: 1448 },
    gsoType: XEN_NETIF_GSO_TYPE.TCPV4,
  });
  const rest = front.page(frame.subarray(3000, 7000));
  front.queue({ gref: rest, offset: 0, flags: more_data, id: 2, size: 4000 });
  front.queue({ gref: front.page(frame.subarray(7000)), offset: 0, flags: 0, id: 3, size: 2000 });

  front.push();

  assert.equal(front.frames, [{ bytes: frame, isChecksumBlank: true, segmentSize: 1448 }]);
  const { OKAY, NULL } = NETIF_RSP;
  const statuses = front.sent().map(([, status]) => status);
  assert.equal(statuses, [OKAY, NULL, OKAY, OKAY]);
});

test('what cannot be read is answered with an error, and what follows goes on', () => {
  const front = new NetFrontEnd();
  const good = front.page(noise.slice(0, 60));
  front.queue({ gref: 999, offset: 0, flags: 0, id: 1, size: 60 });
  front.queue({ gref: good, offset: 4090, flags: 0, id: 2, size: 60 });
  front.queue({ gref: good, offset: 0, flags: 0, id: 3, size: 13 });
  front.queue({ gref: good, offset: 0, flags: 0, id: 4, size: 60 });

  front.push();

  const { OKAY, ERROR } = NETIF_RSP;
  assert.equal(front.sent(), [
    [1, ERROR],
    [2, ERROR],
    [3, ERROR],
    [4, OKAY],
  ]);
  assert.is(front.frames.length, 1);
  assert.is(front.grants.mapped, 0);
});

test('a frame whose rest is missing, or has no end, ends the device alone', () => {
  for (const count of [1, 30]) {
    const front = new NetFrontEnd();
    const gref = front.page(noise.slice(0, 60));
    for (let id = 0; id < count; id++)
      front.queue({ gref, offset: 0, flags: NETTXF.more_data, id, size: 60 });

    front.push();

    assert.match(front.broken ?? '', count === 1 ? /missing/ : /more than 20 slots/);
    assert.is(front.frames.length, 0);
  }
});

test('frames wait for pages, and come in order', () => {
  const front = new NetFrontEnd();
  const frames = [60, 5000, 61].map((length) => noise.slice(length, 2 * length));
  for (const bytes of frames) front.network.send({ bytes });
  assert.equal(front.received(), []);

  front.offer([11, 12, 13]);
  front.push();

  const [first, second, third, ...none] = front.received();
  assert.ok(first && second && third);
  assert.equal(none, []);
  assert.equal(front.bytesOf([first]), frames[0]);
  assert.equal([second.flags, third.flags], [NETRXF.more_data, 0]);
  assert.equal(front.bytesOf([second, third]), frames[1]);

  front.offer([14]);
  front.push();

  assert.equal(front.bytesOf(front.received()), frames[2]);
  assert.is(front.grants.mapped, 0);
});

test('long segments go whole to who cuts them, and in parts with checksums to who does not', () => {
  const bytes = tcpFrame(20_000);
  const frame = { bytes, isChecksumBlank: true, segmentSize: 1448 };
  const ids = Array.from({ length: 40 }, (_, n) => n);
  const whole = new NetFrontEnd();
  whole.offer(ids);
  whole.push();
  whole.network.send(frame);
  const slots = whole.received();
  const [first] = slots;
  assert.ok(first && hasExtra(first));
  assert.ok((first.flags & NETRXF.csum_blank) !== 0);
  assert.equal(whole.bytesOf(slots.filter((_, n) => n !== 1)), bytes);

  const simple = new NetFrontEnd({
    features: {
      ...{ scatters: false, segments: { 4: false, 6: false } },
      checksums: { 4: false, 6: false },
    },
  });
  simple.offer(ids);
  simple.push();
  simple.network.send(frame);

  const received = simple.received();
  assert.equal(
    received.map((slot) => simple.bytesOf([slot])),
    complete(frame),
  );
  assert.is(received.length, Math.ceil(20_000 / 1448));
  assert.ok(received.every(({ flags, status }) => flags === 0 && status <= 14 + 40 + 1448));
});

test('a page that is not granted costs its frame', () => {
  const front = new NetFrontEnd();
  front.offerGrant(1, 12_345);
  front.offer([2]);
  front.push();
  for (const n of [0, 1]) front.network.send({ bytes: noise.slice(n, n + 60) });

  assert.equal(
    front.received().map(({ id, status }) => [id, status]),
    [
      [1, NETIF_RSP.ERROR],
      [2, 60],
    ],
  );
});

test('hostile rings never reach anything but an error', () => {
  const seed = freshSeed();
  const numbers = random(seed);
  for (let n = 0; n < 2000; n++) {
    const front = new NetFrontEnd();
    const pages = [front.page(noise.slice(0, 4096)), 8, 9, numbers.u32()];
    const some = (): number => pages[numbers.u32() % pages.length] ?? 0;
    for (let slot = numbers.u32() % 30; slot > 0; slot--) {
      const [offset, flags] = [numbers.u32() % 5000, numbers.u32() % 16];
      front.queue({ gref: some(), offset, flags, id: slot, size: numbers.u32() % 5000 });
    }
    for (let slot = numbers.u32() % 30; slot > 0; slot--) front.offerGrant(slot, some());
    front.push();
    for (let count = 0; count < 8; count++)
      front.network.send({ bytes: noise.slice(0, 60 + (numbers.u32() % 9000)) });
    if (n % 3 === 0) {
      front.setIndex('tx', 'req_prod', numbers.u32());
      front.setIndex('rx', 'req_prod', numbers.u32());
      front.port.send();
      front.network.send({ bytes: noise.slice(0, 60) });
    }
    assert.is(front.grants.mapped, 0, `seed ${seed}, case ${n}`);
  }
});

test.run();
