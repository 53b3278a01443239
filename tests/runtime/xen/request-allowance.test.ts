import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { multicall_entry } from '../../../runtime/abi/xen.ts';
import { XenError } from '../../../runtime/errors.ts';
import { Continuation } from '../../../runtime/xen/hypercalls/hypercall.ts';
import { HypercallTable } from '../../../runtime/xen/hypercalls/hypercall-table.ts';
import { mostRequests, portion, RequestAllowance } from '../../../runtime/xen/request-allowance.ts';
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

test('calls that can go on get a portion, and no more than what is left', () => {
  const allowance = new RequestAllowance();

  assert.is(allowance.upTo(mostRequests), portion);
  allowance.take(mostRequests - portion - 3, 'mmu_update');
  assert.is(allowance.upTo(10), 3);
  assert.is(allowance.upTo(10), 0);
});

test('a multicall of four thousand million calls goes on behind those that one entry allows', () => {
  for (const width of [64, 32] as const) {
    const { domain, address } = testDomain(width);
    const table = new HypercallTable(domain, {});
    domain.requests.take(mostRequests - 3, 'others');

    const rest = table.call(13, [address, 0xffff_ffffn]);

    assert.ok(rest instanceof Continuation);
    const next = address + BigInt(4 * multicall_entry.size(width));
    assert.equal(rest.args, [next, 0xffff_fffbn]);
  }
});

test.run();
