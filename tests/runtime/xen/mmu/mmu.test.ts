import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HYPERVISOR_VIRT_START } from '../../../../runtime/abi/xen.ts';
import { XenError } from '../../../../runtime/errors.ts';
import { frameTypes } from '../../../../runtime/xen/frames.ts';
import { GuestError } from '../../../../runtime/xen/guest-error.ts';
import { grantMapper } from '../../../../runtime/xen/mmu/grant-mapper.ts';
import { entry, P, pvFrames, U, W } from '../../../support/pv-frames.ts';

const test = suite('runtime/xen/mmu/mmu');

const errno = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    if (error instanceof XenError) return error.errno;
    throw error;
  }
  return 'none';
};

type Frames = ReturnType<typeof pvFrames>;

/** A tree of tables that maps `data` at address 0, not yet validated: L4 or L3, …, L1. */
function tree(f: Frames, flags = P | W) {
  const levels = f.types.width === 64 ? 4 : 3;
  const tables = Array.from({ length: levels }, () => f.page());
  const data = f.page();
  tables.forEach((table, i) => {
    const below = tables[i + 1];
    const isTopOfPae = levels === 3 && i === 0;
    if (below !== undefined) f.poke(table, 0, entry(below, isTopOfPae ? P : P | W | U));
  });
  const l1 = tables.at(-1) ?? 0;
  f.poke(l1, 0, entry(data, flags));
  return { root: tables[0] ?? 0, l1, l2: tables.at(-2) ?? 0, data };
}

for (const width of [64, 32] as const) {
  test(`${width}: a tree is validated when it is pinned, and let go when it is unpinned`, () => {
    const f = pvFrames(width);
    const { root, l1, data } = tree(f);

    f.mmu.pin(root, f.mmu.rootType);

    assert.is(f.frames.typeOf(l1), frameTypes.l1);
    assert.is(f.frames.typeCountOf(l1), 1);
    assert.is(f.frames.typeOf(data), frameTypes.writable);
    assert.is(f.frames.referencesOf(data), 1);
    assert.is(
      errno(() => f.mmu.pin(root, f.mmu.rootType)),
      'EINVAL',
    );
    f.mmu.unpin(root);
    for (const frame of [root, l1, data]) {
      assert.is(f.frames.typeCountOf(frame), 0);
      assert.is(f.frames.referencesOf(frame), 0);
    }
    assert.is(
      errno(() => f.mmu.unpin(root)),
      'EINVAL',
    );
  });

  test(`${width}: a last-level table says that it is another one when an entry of it is written`, () => {
    const f = pvFrames(width);
    const { root, l1, data } = tree(f);
    f.mmu.begin(root);
    const { tables } = f.mmu;

    const before = tables.lastTable(0x5000n);
    tables.translate(0n, 'read');
    const marked = tables.lastTable(0x5000n);
    f.mmu.update((BigInt(l1) << 12n) | 8n, entry(data, P));
    const written = tables.lastTable(0x5000n);

    assert.is(before?.host, f.frames.hostOf(l1));
    assert.equal(marked, before);
    assert.is(written?.host, before?.host);
    assert.is.not(written?.version, before?.version);
    assert.is(tables.lastTable(0x4000_0000n), undefined);
  });

  test(`${width}: no page table may be mapped writable, and none that is mapped so becomes one`, () => {
    const f = pvFrames(width);
    const { root, l1 } = tree(f);
    f.poke(l1, 1, entry(l1, P | W));

    assert.is(
      errno(() => f.mmu.pin(root, f.mmu.rootType)),
      'EBUSY',
    );
    assert.is(f.frames.typeCountOf(root), 0);
    assert.is(f.frames.typeCountOf(l1), 0);
    f.poke(l1, 1, entry(l1, P));
    f.mmu.pin(root, f.mmu.rootType);
    assert.is(
      errno(() => f.mmu.update(BigInt(l1) << 12n, entry(root, P | W))),
      'EBUSY',
    );
    assert.is(
      errno(() => f.mmu.update(BigInt(l1) << 12n, entry(root, P))),
      'none',
    );
  });

  test(`${width}: entries lead to frames of the guest’s own, with flags that it may set`, () => {
    const f = pvFrames(width);
    const { root, l1, data } = tree(f);
    f.mmu.pin(root, f.mmu.rootType);
    const foreign = f.page(2);
    const place = BigInt(l1) << 12n;

    assert.is(
      errno(() => f.mmu.update(place, entry(foreign, P))),
      'EBUSY',
    );
    assert.is(
      errno(() => f.mmu.update(place, entry(0x7_ffff, P))),
      'EPERM',
    );
    assert.is(
      errno(() => f.mmu.update(place, entry(data, P | 0x80n))),
      'EINVAL',
    );
    assert.is(
      errno(() => f.mmu.update(place + 4n, 0n)),
      'ENOSYS',
    );
    assert.is(
      errno(() => f.mmu.update(BigInt(foreign) << 12n, 0n)),
      'EINVAL',
    );
    assert.is(f.frames.referencesOf(data), 1);
    f.mmu.update(place, 0n);
    assert.is(f.frames.referencesOf(data), 0);
  });

  test(`${width}: an update of what is no table writes plain memory`, () => {
    const f = pvFrames(width);
    const data = f.page();

    f.mmu.update((BigInt(data) << 12n) | 8n, 0x1234_5678_9abc_def0n);

    assert.is(f.peek(data, 1), 0x1234_5678_9abc_def0n);
  });

  test(`${width}: the guest finds the machine-to-physical table where Xen has it, and cannot write it`, () => {
    const f = pvFrames(width);
    const { root, data } = tree(f);
    if (width === 32) {
      const [l2, top] = [f.page(), entry(f.page(), P | W)];
      f.poke(l2, 0, top);
      f.poke(root, 3, entry(l2, P));
    }
    f.frames.setPseudoPhysical(data, 77n);

    f.mmu.begin(root);

    const bytes = width / 8;
    const address = HYPERVISOR_VIRT_START[width] + BigInt(data * bytes);
    const host = f.tables.translate(address, 'read');
    assert.type(host, 'number');
    assert.is(f.frames.memory.view().getUint32(Number(host), true), 77);
    assert.not.type(f.tables.translate(address, 'write'), 'number');
    const slot = width === 64 ? { table: root, index: 256 } : undefined;
    if (slot !== undefined) {
      const place = (BigInt(slot.table) << 12n) | BigInt(8 * slot.index);
      assert.is(
        errno(() => f.mmu.update(place, 0n)),
        'EINVAL',
      );
    }
  });

  test(`${width}: marks that the processor has set can be kept`, () => {
    const f = pvFrames(width);
    const { root, l1, data } = tree(f, P | W | 0x60n);
    f.mmu.begin(root);
    const place = BigInt(l1) << 12n;

    f.mmu.update(place | 2n, entry(data, P));

    assert.is(f.peek(l1, 0) & 0x63n, 0x61n);
    assert.is(f.frames.typeCountOf(data), 0);
  });

  test(`${width}: a granted frame is mapped without rules, and only Xen takes it away`, () => {
    const f = pvFrames(width);
    const { root, l1 } = tree(f);
    f.mmu.begin(root);
    const granted = f.page(2);
    const mapper = grantMapper(f.mmu);

    mapper.map(0x5000n, granted, 2);

    assert.is(f.tables.translate(0x5000n, 'write'), f.frames.hostOf(granted));
    assert.throws(
      () => f.mmu.updateMapping(0x5000n, 0n),
      (error: unknown) => error instanceof GuestError,
    );
    assert.throws(() => mapper.unmap(0x5000n, granted + 1, 2, 0n), /is not mapped/);
    mapper.unmap((BigInt(l1) << 12n) | (5n * 8n), granted, 2 | 16, 0n);
    assert.not.type(f.tables.translate(0x5000n, 'read'), 'number');
  });
}

test('what a 64-bit guest maps for its kernel is the user’s, and marked', () => {
  const f = pvFrames(64);
  const { root, l1, data } = tree(f, P);

  f.mmu.begin(root);

  assert.is(f.peek(l1, 0), entry(data, P | U | (1n << 52n)));
  f.mmu.updateMapping(0x1000n, entry(data, P | U));
  assert.is(f.peek(l1, 1), entry(data, P | U | 0x100n));
});

test('an address is mapped through the tables that the vCPU runs with', () => {
  const f = pvFrames(64);
  const { root, data } = tree(f);
  f.mmu.begin(root);

  f.mmu.updateMapping(0x3000n, entry(data, P | W));

  assert.is(f.tables.translate(0x3000n, 'write'), f.frames.hostOf(data));
  assert.is(
    errno(() => f.mmu.updateMapping(0x4000_0000n, entry(data, P))),
    'EINVAL',
  );
});

test('a write that faults is told apart where it was one to a last-level table', () => {
  const f = pvFrames(64);
  const { root, l1, l2, data } = tree(f, P);
  f.mmu.begin(root);
  f.mmu.updateMapping(0x1000n, entry(l1, P));
  f.mmu.updateMapping(0x2000n, entry(l2, P));

  assert.is(f.frames.typeCountOf(data), 0);
  assert.is(f.mmu.isTableWrite(0x1008n, 7), true);
  assert.is(f.mmu.isTableWrite(0x1008n, 5), false);
  assert.is(f.mmu.isTableWrite(0x2008n, 7), false);
  assert.is(f.mmu.isTableWrite(0x8n, 7), false);
});

test('a store to a mapped table is a request for its entry, or is refused', () => {
  const f = pvFrames(64);
  const { root, l1, data } = tree(f, P);
  f.mmu.begin(root);
  f.mmu.updateMapping(0x1000n, entry(l1, P));
  const place = 0x1000n + 8n * 5n;

  assert.ok(f.mmu.storeMapped(place, 8, entry(data, P | W)));
  assert.is(f.frames.typeCountOf(data), 1);
  assert.is(f.mmu.storeMapped(place, 8, entry(l1, P | W)), false); // a table, to write
  assert.is(f.mmu.storeMapped(place + 2n, 4, 0n), false); // not aligned
  assert.is(f.mmu.storeMapped(place, 16, 0n), false);
  assert.is(f.mmu.storeMapped(place + 4n, 4, 0xffn), false); // nobody's frame
  assert.ok(f.mmu.storeMapped(place, 1, 0n));
  assert.is(f.frames.typeCountOf(data), 0);
  assert.is((f.peek(l1, 5) >> 12n) & 0xffn, BigInt(data) & 0xffn);
});

test('a 32-bit kernel that writes the upper half of an entry first has it taken away meanwhile', () => {
  const f = pvFrames(32);
  const { root, l1, data } = tree(f, P);
  f.mmu.begin(root);
  f.mmu.updateMapping(0x1000n, entry(l1, P));
  assert.ok(f.mmu.storeMapped(0x1028n, 8, entry(data, P)));

  assert.ok(f.mmu.storeMapped(0x102cn, 4, 0xffn));

  assert.is(f.peek(l1, 5) & 1n, 0n);
});

test('a table may lead to itself, or to one that leads nowhere so, and only to be read', () => {
  const f = pvFrames(64);
  const [first, second] = [tree(f), tree(f)];
  f.mmu.begin(first.root);
  f.mmu.pin(second.root, frameTypes.l4);
  const lead = (from: number, slot: number, to: number, flags: bigint) =>
    errno(() => f.mmu.update((BigInt(from) << 12n) + BigInt(8 * slot), entry(to, flags)));

  assert.is(lead(first.root, 5, first.root, P | W), 'EINVAL');
  assert.is(lead(first.root, 5, first.root, P), 'none');
  assert.is(lead(first.root, 6, second.root, P), 'none');
  assert.is(lead(second.root, 6, first.root, P), 'EINVAL');
  f.mmu.unpin(second.root);
  assert.is(f.frames.typeCountOf(second.root), 1);
  assert.is(lead(first.root, 6, 0, 0n), 'none');
  assert.is(f.frames.typeCountOf(second.root), 0);
  assert.is(f.frames.referencesOf(second.root), 0);
});

test('a new root takes the old one’s place', () => {
  const f = pvFrames(64);
  const [first, second] = [tree(f), tree(f)];
  f.mmu.begin(first.root);

  f.mmu.setKernelRoot(second.root);

  assert.is(f.tables.translate(0n, 'read'), f.frames.hostOf(second.data));
  assert.is(f.frames.typeCountOf(first.root), 1); // pinned
  assert.is(
    errno(() => f.mmu.setKernelRoot(second.l1)),
    'EINVAL',
  );
  f.mmu.unpin(first.root);
  assert.is(f.frames.typeCountOf(first.l1), 0);
});

test('frames of the table change in it alone', () => {
  const f = pvFrames(64);
  const [own, foreign] = [f.page(), f.page(2)];

  f.mmu.update((BigInt(own) << 12n) | 1n, 9n);

  assert.is(f.frames.memory.view().getBigUint64(f.frames.m2p(64) + 8 * own, true), 9n);
  assert.is(
    errno(() => f.mmu.update((BigInt(foreign) << 12n) | 1n, 9n)),
    'EINVAL',
  );
});

test.run();
