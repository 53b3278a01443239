import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DOMID } from '../../../../runtime/abi/xen.ts';
import { hvmOp } from '../../../../runtime/xen/hypercalls/hvm-op.ts';
import { SystemTime } from '../../../../runtime/xen/time/system-time.ts';
import { answer } from '../../../support/xen-answers.ts';
import { testDomain } from '../../../support/xen-domain.ts';

const test = suite('runtime/xen/hypercalls/hvm-op');

/** Of itself, of nobody, of domain 0: as Xen 4.17 answers. */
const answers: Readonly<Record<number, readonly (number | string)[]>> = {
  0: ['EINVAL', 'ESRCH', 'EINVAL'],
  1: ['EINVAL', 'ESRCH', 'EINVAL'],
  2: ['ENOSYS', 'ENOSYS', 'ENOSYS'],
  9: ['EINVAL', 'ESRCH', 'EOPNOTSUPP'],
  10: [0, 0, 0],
  11: ['EINVAL', 0, 0],
  15: ['EINVAL', 'ESRCH', 'EPERM'],
  23: ['EINVAL', 'EINVAL', 'EINVAL'],
  24: ['EINVAL', 'EINVAL', 'EINVAL'],
  25: ['EOPNOTSUPP', 'EOPNOTSUPP', 'EOPNOTSUPP'],
  26: ['ENOSYS', 'ENOSYS', 'ENOSYS'],
};

test('a PV domain is told that it is none of HVM', () => {
  const { domain, address, clock } = testDomain(64);
  const op = hvmOp(new SystemTime(clock), (domid) => domid <= 1);
  const call = (number: number, domid: number) => {
    domain.guest.fill(address, 16, 0);
    domain.guest.writeU32(address, domid);
    return answer(() => op.call(domain, [BigInt(number), address]));
  };

  const found = Object.keys(answers).map((number) => [
    number,
    [DOMID.SELF, 77, 0].map((domid) => call(Number(number), domid)),
  ]);

  assert.equal(Object.fromEntries(found), answers);
});

test('time is told', () => {
  const { domain, address, clock } = testDomain(64);
  const time = new SystemTime(clock);

  hvmOp(time, () => false).call(domain, [10n, address]);

  assert.is(domain.guest.readU64(address), time.now());
});

test.run();
