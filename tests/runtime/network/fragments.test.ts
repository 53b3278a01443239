import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { broadcastMac, parseIpv4 } from '../../../runtime/network/addresses.ts';
import { Reassembly } from '../../../runtime/network/fragments.ts';
import { type Packet, readPacket, writeFragments } from '../../../runtime/network/ipv4.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { freshSeed, random } from '../../support/random.ts';

const test = suite('runtime/network/fragments');

const [source, destination] = ['10.0.2.15', '10.0.2.2'].map(parseIpv4);

function fragmentsOf(payload: Uint8Array, identification: number): Packet[] {
  assert.ok(source !== undefined && destination !== undefined);
  const heads = { to: broadcastMac, from: broadcastMac, identification };
  const datagram = { source, destination, protocol: 17, payload };
  return writeFragments(datagram, heads).flatMap((frame) => readPacket(frame) ?? []);
}

test('datagrams come together in any order, and twice does no harm', () => {
  const seed = freshSeed();
  const numbers = random(seed);
  const reassembly = new Reassembly(new FakeClock());
  for (let n = 0; n < 200; n++) {
    const payload = numbers.bytes(numbers.below(20_000));
    const parts = fragmentsOf(payload, n);
    const shuffled = [...parts, ...parts.slice(0, -1).filter(() => numbers.below(3) === 0)]
      .map((part) => [numbers.u32(), part] as const)
      .sort(([a], [b]) => a - b);

    const whole = shuffled.flatMap(([, part]) => reassembly.add(part) ?? []);

    assert.equal(whole[0]?.payload, payload, `seed ${seed}`);
  }
});

test('what is incomplete is forgotten, the oldest first, and what cannot be is not taken', () => {
  const clock = new FakeClock();
  const reassembly = new Reassembly(clock);
  const payload = new Uint8Array(3000);
  const [first, ...rest] = fragmentsOf(payload, 1);
  assert.ok(first);
  assert.is(reassembly.add(first), undefined);
  clock.now += 61_000_000_000n;
  assert.equal(
    rest.map((part) => reassembly.add(part)),
    [undefined, undefined],
  );

  for (let n = 2; n < 40; n++)
    for (const part of fragmentsOf(payload, n).slice(1)) reassembly.add(part);
  const [early] = fragmentsOf(payload, 2);
  const [late] = fragmentsOf(payload, 39);
  assert.ok(early && late);
  assert.is(reassembly.add(early), undefined);
  assert.is(reassembly.add(late)?.payload.length, 3000);

  assert.is(reassembly.add({ ...first, offset: 65_528, hasMore: true }), undefined);
  assert.is(reassembly.add({ ...first, hasMore: true, payload: new Uint8Array(7) }), undefined);
});

test.run();
