/** The back half of a ring, against the arithmetic of xen/io/ring.h. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BackRing } from '../../../runtime/backends/ring.ts';
import { MachineMemory, pageSize } from '../../../runtime/memory/machine-memory.ts';

const rings = suite('runtime/backends/ring');

const entrySize = 112;

function makeRing(pageCount = 1): {
  ring: BackRing;
  memory: MachineMemory;
  set(name: 'req_prod' | 'rsp_event', value: number): void;
  get(name: 'req_event' | 'rsp_prod'): number;
} {
  const memory = new MachineMemory();
  const pages = Array.from({ length: pageCount }, () => memory.allocate(2 * pageSize)).reverse();
  const ring = new BackRing({ memory, pages, entrySize });
  const at = { req_prod: 0, req_event: 4, rsp_prod: 8, rsp_event: 12 };
  const head = pages[0] ?? 0;
  return {
    ...{ ring, memory },
    set: (name, value) => memory.view().setUint32(head + at[name], value, true),
    get: (name) => memory.view().getUint32(head + at[name], true),
  };
}

const request = (): Uint8Array => new Uint8Array(entrySize);

rings('a ring has as many entries as fit, rounded down to a power of 2', () => {
  const sizes = [1, 2, 4, 8, 16].map((pages) => makeRing(pages).ring.size);

  assert.equal(sizes, [32, 64, 128, 256, 512]);
});

rings('requests are taken once each, in order, over the end of the indices', () => {
  const { ring, set } = makeRing();
  for (let produced = 1; produced <= 100; produced++) {
    set('req_prod', produced);
    assert.ok(ring.take(request()));
    assert.not(ring.take(request()));
    ring.put(new Uint8Array(16));
    ring.push();
  }
});

rings('an entry may lie across pages that are far apart', () => {
  const { ring, set, memory } = makeRing(2);
  const bytes = memory.bytes();
  // Entry 36 lies at 64 + 36 × 112 = 4096 exactly; entry 35 ends there; 73 of 2 pages do not fit, so look at all.
  const pageHosts = [framesOf(memory, 1), framesOf(memory, 0)];
  for (let index = 0; index < ring.size; index++)
    for (let n = 0; n < entrySize; n++) {
      const at = 64 + index * entrySize + n;
      bytes[(pageHosts[Math.floor(at / pageSize)] ?? 0) + (at % pageSize)] = index + n;
    }
  set('req_prod', ring.size);

  for (let index = 0; index < ring.size; index++) {
    const taken = request();
    assert.ok(ring.take(taken));
    assert.equal([taken[0], taken[50], taken[111]], [index, index + 50, (index + 111) & 255]);
  }
});

/** Host offset of the nth page that a test's ring has allocated. */
const framesOf = (memory: MachineMemory, n: number): number =>
  memory.bytes().length === 0 ? 0 : 0x11_0000 + n * 2 * pageSize;

rings('a front-end that counts what cannot be is told apart', () => {
  for (const produced of [33, 1000, 2 ** 31, 2 ** 32 - 1]) {
    const { ring, set } = makeRing();
    set('req_prod', produced);
    assert.throws(() => ring.take(request()), /req_prod is/);
  }
  const { ring, set } = makeRing();
  set('req_prod', 5);
  for (let n = 0; n < 5; n++) ring.take(request());
  set('req_prod', 4);
  assert.throws(() => ring.take(request()), /req_prod is 4, 0 of 5 taken/);
});

rings('no more is taken than there is room for answers', () => {
  const { ring, set } = makeRing();
  set('req_prod', 32);
  for (let n = 0; n < 32; n++) assert.ok(ring.take(request()));
  set('req_prod', 33);

  assert.throws(() => ring.take(request()), /req_prod is 33/);
});

rings('the guest hears of answers when it has asked to', () => {
  const { ring, set, get } = makeRing();
  set('req_prod', 8);
  set('rsp_event', 3);
  const answer = (count: number): boolean => {
    for (let n = 0; n < count; n++) {
      ring.take(request());
      ring.put(new Uint8Array(16));
    }
    return ring.push();
  };

  assert.not(ring.push());
  assert.not(answer(2));
  assert.ok(answer(1));
  assert.not(answer(3));
  assert.is(get('rsp_prod'), 6);
  set('rsp_event', 7);
  assert.ok(answer(2));
});

rings('before it waits, a back-end asks for the next request and looks again', () => {
  const { ring, set, get } = makeRing();
  set('req_prod', 1);
  ring.take(request());

  assert.not(ring.finalCheck());
  assert.is(get('req_event'), 2);
  set('req_prod', 2);
  assert.ok(ring.finalCheck());
});

rings('a response without a request is a bug of ours', () => {
  assert.throws(() => makeRing().ring.put(new Uint8Array(16)), /more responses/);
});

rings.run();
