/** A ring is served until there is nothing to do, in turns, never within itself, and not after what cannot be. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Service } from '../../../runtime/backends/service.ts';
import { XenError } from '../../../runtime/errors.ts';

const test = suite('runtime/backends/service');

/** A ring with that many requests, each of which takes `each` nanoseconds; turns of the event loop are had by hand. */
function makeService(waiting: number, each = 0n) {
  const done: string[] = [];
  const turns: (() => void)[] = [];
  const ring = { waiting, during: (): void => {} };
  let now = 0n;
  const service = new Service({
    clock: {
      ...{ monotonic: () => now, realtime: () => now, after: () => () => {} },
      turn: () => new Promise((resolve) => turns.push(resolve)),
    },
    step: () => {
      if (ring.waiting === 0) return false;
      ring.waiting--;
      now += each;
      done.push('step');
      ring.during();
      return true;
    },
    finish: () => void done.push('finish'),
    onBroken: (reason) => void done.push(reason),
  });
  const turn = async (): Promise<void> => {
    for (const resolve of turns.splice(0)) resolve();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { service, done, ring, turn };
}

test('answers are handed over when there is nothing more to do', () => {
  const { service, done } = makeService(3);

  service.serve();

  assert.equal(done, ['step', 'step', 'step', 'finish']);
});

test('an event that a step brings about does not begin anew', () => {
  const { service, done, ring } = makeService(2);
  ring.during = () => {
    assert.ok(service.isServing);
    service.serve();
  };

  service.serve();

  assert.equal(done, ['step', 'step', 'finish']);
});

test('after 2 ms the event loop has a turn, and nobody serves before it', async () => {
  const { service, done, turn } = makeService(3, 1_000_000n);

  service.serve();
  service.serve();
  assert.equal(done, ['step', 'step', 'finish']);

  await turn();
  assert.equal(done, ['step', 'step', 'finish', 'step', 'finish']);
});

test('a step may pause, and it goes on by itself', async () => {
  const { service, done, ring } = makeService(2);
  let goOn = (): void => {};
  ring.during = () => {
    ring.during = () => {};
    service.pause(
      new Promise((resolve) => {
        goOn = resolve;
      }),
    );
  };

  service.serve();
  assert.equal(done, ['step', 'finish']);

  goOn();
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(done, ['step', 'finish', 'step', 'finish']);
});

test('what cannot be breaks it, and is told once', () => {
  const { service, done, ring } = makeService(5);
  ring.during = () => {
    throw new XenError('EINVAL', 'too many requests');
  };

  service.serve();
  service.serve();

  assert.equal(done, ['step', 'too many requests']);
  assert.not(service.isOpen);
  assert.not(service.isClosed);
});

test('an error of our own is not the guest’s, and is thrown', () => {
  const { service, ring } = makeService(1);
  ring.during = () => {
    throw new RangeError('ours');
  };

  assert.throws(() => service.serve(), /ours/);
  assert.ok(service.isOpen);
  assert.not(service.isServing);
});

test('once it is closed it does nothing', () => {
  const { service, done } = makeService(1);
  service.close();

  service.serve();
  service.guarded(() => void done.push('guarded'));

  assert.equal(done, []);
});

test.run();
