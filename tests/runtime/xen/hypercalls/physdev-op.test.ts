import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  PHYSDEVOP,
  physdev_get_free_pirq,
  physdev_irq_status_query,
  physdev_set_iobitmap,
  physdev_set_iopl,
} from '../../../../runtime/abi/physdev.ts';
import { physdevOp } from '../../../../runtime/xen/hypercalls/physdev-op.ts';
import { answer, ask } from '../../../support/xen-answers.ts';
import { testDomain } from '../../../support/xen-domain.ts';

const test = suite('runtime/xen/hypercalls/physdev-op');

/** By number, with a struct of zeros, as Xen 4.17 answers. */
// biome-ignore format: a line for each ten numbers
const answers: readonly (number | string)[] = [
  'ENOSYS', 'ENOSYS', 'ENOSYS', 'ENOSYS', 0, 0, 0, 0, 'EPERM', 'EPERM',
  'EPERM', 'ENOSYS', 'EINVAL', 'EPERM', 'EPERM', 'EPERM', 'EPERM', 'EINVAL', 'ENOSYS', 'EPERM',
  'EPERM', 'EPERM', 'ENOSYS', 0, 'EPERM', 'EPERM', 'EPERM', 'EPERM', 'EINVAL', 'EPERM',
  'EPERM', 'EPERM', 'ENOSYS', 'ENOSYS',
];

test('a domain without hardware is refused it as by Xen', () => {
  const { domain, address } = testDomain(64);
  const op = physdevOp(() => {});

  const found = answers.map((_, number) => {
    domain.guest.fill(address, 64, 0);
    return answer(() => op.call(domain, [BigInt(number), address]));
  });

  assert.equal(found, answers);
});

test('a guest sets the level that may touch interrupts and ports', () => {
  const guest = testDomain(64);
  const levels: number[] = [];
  const op = physdevOp((level) => {
    levels.push(level);
  });
  const set = (iopl: number) =>
    ask(guest, op, PHYSDEVOP.set_iopl, physdev_set_iopl, { iopl }).result;

  assert.equal([set(1), set(4)], [0, 'EINVAL']);
  assert.equal(levels, [1]);
  assert.is(
    answer(() => op.call(guest.domain, [6n, 0x4000_0000n])),
    'EFAULT',
  );
});

test('interrupts that nobody has are asked about, and given numbers until there are none', () => {
  const guest = testDomain(32);
  const op = physdevOp(() => {});
  const { value } = ask(guest, op, PHYSDEVOP.irq_status_query, physdev_irq_status_query, {
    irq: 3,
  });
  const { flags } = value;
  const free = (type: number) =>
    ask(guest, op, PHYSDEVOP.get_free_pirq, physdev_get_free_pirq, { type }).result;
  const given = Array.from({ length: 57 }, () => free(0));

  assert.is(flags, 1);
  assert.is(given[55], 0);
  assert.is(given[56], 'ENOSPC');
  assert.is(free(9), 'EINVAL');
  assert.is(
    ask(guest, op, PHYSDEVOP.set_iobitmap, physdev_set_iobitmap, { nr_ports: 65537 }).result,
    'EINVAL',
  );
});

test.run();
