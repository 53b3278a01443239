/** What is taken up is let go of once, in the other order, and at once where not all of it can be had. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allOrNothing, Held } from '../../../runtime/backends/held.ts';
import { XenError } from '../../../runtime/errors.ts';

const test = suite('runtime/backends/held');

/** Pages and ports up to 9, and what was done with them. */
function makeGuest() {
  const done: string[] = [];
  const take = (kind: string, number: number): void => {
    if (number > 9) throw new XenError('EINVAL', `no ${kind} ${number}`);
    done.push(`${kind} ${number}`);
  };
  const release = (kind: string, number: number) => () => void done.push(`no ${kind} ${number}`);
  return {
    done,
    pages: {
      map: (number: number) => {
        take('page', number);
        return { host: number * 4096, unmap: release('page', number) };
      },
    },
    ports: {
      bind: (number: number) => {
        take('port', number);
        return { notify: () => {}, listen: () => {}, close: release('port', number) };
      },
    },
  };
}

test('what came last goes first, and only once', () => {
  const { done, pages, ports } = makeGuest();
  const held = new Held();
  assert.is(held.page(pages, 3), 3 * 4096);
  held.port(ports, 7);
  assert.is(
    held.keep('a picture', () => done.push('no picture')),
    'a picture',
  );

  held.release();
  held.release();

  assert.equal(done, ['page 3', 'port 7', 'no picture', 'no port 7', 'no page 3']);
});

test('a port that cannot be bound gives back the pages before it', () => {
  const { done, pages, ports } = makeGuest();
  const take = (): void =>
    allOrNothing((held) => {
      for (const number of [1, 2]) held.page(pages, number);
      held.port(ports, 10);
    });

  assert.throws(take, /no port 10/);

  assert.equal(done, ['page 1', 'page 2', 'no page 2', 'no page 1']);
});

test('what was had whole is held on', () => {
  const { done, pages } = makeGuest();
  const held = allOrNothing((all) => {
    all.page(pages, 1);
    return all;
  });
  assert.equal(done, ['page 1']);

  held.release();

  assert.equal(done, ['page 1', 'no page 1']);
});

test.run();
