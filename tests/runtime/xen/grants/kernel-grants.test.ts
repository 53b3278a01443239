/** Grants between two domains whose kernels are in here. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GTF } from '../../../../runtime/abi/grant-table.ts';
import type { PortBits } from '../../../../runtime/domain/domain-events.ts';
import { MachineMemory } from '../../../../runtime/memory/machine-memory.ts';
import { FrameTable } from '../../../../runtime/xen/frames.ts';
import { XenWorld } from '../../../../runtime/xen/xen-world.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const grants = suite('runtime/xen/grants/kernel-grants');

const deaf: PortBits = { setPending: () => {}, clearPending: () => {}, unmask: () => {} };

function twoDomains() {
  const frames = new FrameTable(new MachineMemory());
  const world = new XenWorld(frames, new FakeClock());
  const [first, second] = [1, 2].map((id) => world.admit(id, deaf, () => {}).grants);
  if (first === undefined || second === undefined) throw new TypeError('no domains');
  const frame = frames.allocate(1, 1);
  return { frames, world, first, second, frame, reference: first.first };
}

const refusal = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    return (error as { errno?: string }).errno ?? String(error);
  }
  return 'none';
};

grants('a page that is granted is the same page at the other end', () => {
  const { frames, first, second, frame, reference } = twoDomains();

  first.grant(reference, 2, frame, 'write');
  const page = second.map(1, reference, 'write');

  assert.is(page.frame, frame);
  assert.is(page.host, frames.hostOf(frame));
});

grants('what was not granted, not so, or not to it, is refused', () => {
  const { frames, first, second, frame, reference } = twoDomains();
  first.grant(reference, 2, frame, 'read');
  first.grant(reference + 1, 3, frame, 'write');
  first.grant(reference + 2, 2, frames.allocate(3, 1), 'write');

  const refusals = [
    refusal(() => second.map(1, reference, 'write')),
    refusal(() => second.map(1, reference + 1, 'read')),
    refusal(() => second.map(1, reference + 2, 'read')),
    refusal(() => second.map(1, 1_000_000, 'read')),
    refusal(() => second.map(9, reference, 'read')),
    refusal(() => second.map(1, reference, 'read')),
  ];

  assert.equal(refusals, ['EACCES', 'EACCES', 'EINVAL', 'EINVAL', 'ESRCH', 'none']);
});

grants('reserved references, and those beyond the table, are not its own to give', () => {
  const { first, frame } = twoDomains();

  for (const reference of [0, first.first - 1, first.end, 2 ** 31])
    assert.is(
      refusal(() => first.grant(reference, 2, frame, 'write')),
      'EINVAL',
    );
});

grants('a grant in use is not taken back before it is let go', () => {
  const { first, second, frame, reference } = twoDomains();
  first.grant(reference, 2, frame, 'write');
  const page = second.map(1, reference, 'write');

  const whileMapped = [first.isInUse(reference), first.revoke(reference)];
  page.unmap();
  page.unmap();

  assert.equal(whileMapped, [true, false]);
  assert.is(first.revoke(reference), true);
  assert.is(
    refusal(() => second.map(1, reference, 'read')),
    'EACCES',
  );
});

grants('a domain that leaves lets go of what it has mapped', () => {
  const { world, first, second, frame, reference } = twoDomains();
  first.grant(reference, 2, frame, 'write');
  second.map(1, reference, 'write');

  world.leave(2);

  assert.is(first.revoke(reference), true);
});

grants('a transfer is there when it is complete', () => {
  const { first, reference } = twoDomains();
  first.acceptTransfer(reference, 2);

  assert.is(first.transferred(reference), undefined);
  assert.is(GTF.accept_transfer, 2);
});

grants.run();
