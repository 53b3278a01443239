import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NetworkSwitch } from '../../../runtime/network/switch.ts';

const test = suite('runtime/network/switch');

/** From one station to another, by the last byte of their addresses; 255 is everybody. */
const frame = (from: number, to: number): Uint8Array => {
  const bytes = new Uint8Array(60);
  bytes.set(to === 255 ? new Array(6).fill(255) : [2, 0, 0, 0, 0, to], 0);
  bytes.set([2, 0, 0, 0, 0, from], 6);
  return bytes;
};

test('a frame goes to all while its station is unknown, and then to that one alone', () => {
  const network = new NetworkSwitch();
  const heard: string[] = [];
  const [one, two, three] = [1, 2, 3].map((n) => {
    const link = network.plug();
    link.listen(({ bytes }) => heard.push(`${n}<${bytes[11]}`));
    return link;
  });
  assert.ok(one && two && three);
  const after = (send: () => void): string[] => {
    send();
    return heard.splice(0);
  };

  assert.equal(
    after(() => one.send({ bytes: frame(1, 2) })),
    ['2<1', '3<1'],
  );
  assert.equal(
    after(() => two.send({ bytes: frame(2, 1) })),
    ['1<2'],
  );
  assert.equal(
    after(() => one.send({ bytes: frame(1, 2) })),
    ['2<1'],
  );
  assert.equal(
    after(() => one.send({ bytes: frame(1, 255) })),
    ['2<1', '3<1'],
  );
  assert.equal(
    after(() => one.send({ bytes: frame(1, 1) })),
    [],
    'it is where it came from',
  );
  assert.equal(
    after(() => three.send({ bytes: frame(2, 1) })),
    ['1<2'],
  );
  assert.equal(
    after(() => one.send({ bytes: frame(1, 2) })),
    ['3<1'],
    'it has moved',
  );
  assert.equal(
    after(() => one.send({ bytes: new Uint8Array(3) })),
    [],
  );
});

test('who makes up stations makes it forget others, and sees no more than a flood', () => {
  const network = new NetworkSwitch();
  const [one, two, three] = [network.plug(), network.plug(), network.plug()];
  let heard = 0;
  three.listen(() => heard++);
  two.send({ bytes: frame(2, 1) });
  one.send({ bytes: frame(1, 2) });
  assert.is(heard, 1, 'the first alone: where 2 is was known then');

  for (let n = 0; n < 1024; n++) {
    const bytes = frame(1, 2);
    bytes.set([2, 9, n >> 8, n & 255], 6);
    one.send({ bytes });
  }
  heard = 0;
  one.send({ bytes: frame(1, 2) });
  assert.is(heard, 1);
});

test.run();
