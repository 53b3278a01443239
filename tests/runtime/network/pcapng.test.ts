import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cable } from '../../../runtime/network/frame.ts';
import { captured } from '../../../runtime/network/pcapng.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const test = suite('runtime/network/pcapng');

test('both ways are blocks of a file, with time, direction and bytes, and go on unchanged', () => {
  const parts: Uint8Array[] = [];
  const clock = new FakeClock();
  const [end, other] = cable();
  const link = captured(end, (bytes) => parts.push(bytes), clock, 'vif1.0');
  const [came, went]: [Uint8Array[], Uint8Array[]] = [[], []];
  link.listen(({ bytes }) => came.push(bytes));
  other.listen(({ bytes }) => went.push(bytes));

  link.send({ bytes: Uint8Array.of(1, 2, 3, 4, 5) });
  clock.now += 7n;
  other.send({ bytes: Uint8Array.of(9) });

  assert.equal(went, [Uint8Array.of(1, 2, 3, 4, 5)]);
  assert.equal(came, [Uint8Array.of(9)]);
  const file = Buffer.concat(parts);
  const blocks: Buffer[] = [];
  for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4))
    blocks.push(file.subarray(at, at + file.readUInt32LE(at + 4)));
  assert.ok(blocks.every((block) => block.readUInt32LE(block.length - 4) === block.length));
  const types = blocks.map((block) => block.readUInt32LE(0));
  assert.equal(types, [0x0a0d_0d0a, 1, 6, 6]);
  const packets = blocks.slice(2).map((block) => ({
    time: (BigInt(block.readUInt32LE(12)) << 32n) | BigInt(block.readUInt32LE(16)),
    bytes: block.subarray(28, 28 + block.readUInt32LE(20)).toString('hex'),
    // epb_flags is the first option, behind the padded bytes.
    way: block.readUInt32LE(28 + Math.ceil(block.readUInt32LE(20) / 4) * 4 + 4),
  }));
  const first = 1_600_000_001_000_000_000n;
  assert.equal(packets, [
    { time: first, bytes: '0102030405', way: 2 },
    { time: first + 7n, bytes: '09', way: 1 },
  ]);
});

test.run();
