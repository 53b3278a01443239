import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XEN_ERRNO } from '../../../runtime/abi/errno.ts';
import { askHeaders } from '../../support/xen-headers.ts';

const test = suite('runtime/abi/errno');

test('errors have the numbers of Xen’s header', async () => {
  // Never seen by guests, so the header hides them.
  const { EINTR, ERESTART, ...seen } = XEN_ERRNO;
  const questions = Object.fromEntries(Object.keys(seen).map((name) => [name, `XEN_${name}`]));

  assert.is(EINTR, 4);
  assert.is(ERESTART, 85);
  assert.equal(seen, await askHeaders(['errno.h'], 64, questions));
});

test.run();
