import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XenError } from '../../../runtime/errors.ts';
import { HypercallTable } from '../../../runtime/xen/hypercalls/hypercall-table.ts';
import { mostRequests, RequestAllowance } from '../../../runtime/xen/request-allowance.ts';
import { testDomain } from '../../support/xen-domain.ts';

const test = suite('runtime/xen/request-allowance');

const isRefused = (error: unknown): boolean =>
  error instanceof XenError && error.errno === 'EINVAL';

test('lists together have as many requests as one entry allows, and the next entry as many again', () => {
  const allowance = new RequestAllowance();

  allowance.take(mostRequests - 1, 'mmu_update');
  assert.throws(() => allowance.take(2, 'mmu_update'), isRefused);
  allowance.take(1, 'mmu_update');
  allowance.renew();
  allowance.take(mostRequests, 'multicall');
});

test('calls that say how far they came get what is left', () => {
  const allowance = new RequestAllowance();

  assert.is(allowance.upTo(mostRequests - 3), mostRequests - 3);
  assert.is(allowance.upTo(10), 3);
  assert.is(allowance.upTo(10), 0);
});

test('a multicall of four thousand million calls is refused before the first', () => {
  const { domain, address } = testDomain(64);
  const table = new HypercallTable(domain, {});
  const einval = (1n << 64n) - 22n;

  assert.is(table.call(13, [address, 0xffff_ffffn]), einval);
});

test.run();
