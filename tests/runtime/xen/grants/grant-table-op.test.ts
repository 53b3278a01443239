import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  GNTCOPY,
  GNTMAP,
  GNTST,
  GNTTAB_CACHE,
  GNTTABOP,
  GTF,
  gnttab_cache_flush,
  gnttab_copy,
  gnttab_get_status_frames,
  gnttab_get_version,
  gnttab_map_grant_ref,
  gnttab_query_size,
  gnttab_set_version,
  gnttab_setup_table,
  gnttab_swap_grant_ref,
  gnttab_transfer,
  gnttab_unmap_grant_ref,
} from '../../../../runtime/abi/grant-table.ts';
import { DOMID } from '../../../../runtime/abi/xen.ts';
import { XenError } from '../../../../runtime/errors.ts';
import type { FieldType, Struct, Width } from '../../../../runtime/memory/layout.ts';
import { pageSize } from '../../../../runtime/memory/machine-memory.ts';
import { GrantMappings } from '../../../../runtime/xen/grants/grant-mappings.ts';
import { grantTableOp } from '../../../../runtime/xen/grants/grant-table-op.ts';
import type { Hypercall } from '../../../../runtime/xen/hypercalls/hypercall.ts';
import { type GrantDomain, grantDomains } from '../../../support/grant-domain.ts';
import { freshSeed, random } from '../../../support/random.ts';
import { answer, bothWidths } from '../../../support/xen-answers.ts';

const test = suite('runtime/xen/grants/grant-table-op');

const domains = (width: Width) => {
  const { one, two, peers } = grantDomains(width);
  const op = ({ table, mapper }: GrantDomain): Hypercall =>
    grantTableOp({ table, peers, mappings: new GrantMappings(table.domid, peers, mapper) });
  return { one, two, opOne: op(one), opTwo: op(two) };
};

type Fields = Readonly<Record<string, FieldType<unknown, never>>>;

/** One struct at the start of the guest's memory. */
function ask<F extends Fields>(
  { domain, host, address }: GrantDomain,
  op: Hypercall,
  number: number,
  type: Struct<F>,
  fill: object,
) {
  const value = type.layout(domain.width).at(domain.memory, host);
  Object.assign(value, fill);
  const result = answer(() => op.call(domain, [BigInt(number), address, 1n]));
  return { result, value };
}

/** Where lists go. */
const second = BigInt(pageSize);

test('a guest sets its table up and finds its pages', () => {
  for (const width of bothWidths) {
    const { one, opOne } = domains(width);

    const before = ask(one, opOne, GNTTABOP.query_size, gnttab_query_size, { dom: DOMID.SELF });
    const sizes = [before.result, before.value.nr_frames, before.value.max_nr_frames];
    const setup = ask(one, opOne, GNTTABOP.setup_table, gnttab_setup_table, {
      ...{ dom: DOMID.SELF, nr_frames: 4, frame_list: one.address + second },
    });

    assert.equal(sizes, [0, 1, 64]);
    assert.equal([setup.result, setup.value.status], [0, GNTST.okay]);
    for (const [i, frame] of one.table.entries.sharedFrames.entries())
      assert.is(
        one.domain.guest.readWord(one.address + second + BigInt((i * width) / 8), width),
        BigInt(frame),
      );
    assert.is(one.table.entries.sharedFrames.length, 4);
  }
});

test('a table is not set up larger than Xen allows, in no place, or of others', () => {
  const { one, opOne } = domains(64);
  const setup = (fill: object) => {
    const list = { dom: DOMID.SELF, nr_frames: 1, frame_list: one.address + second };
    const { result, value } = ask(one, opOne, GNTTABOP.setup_table, gnttab_setup_table, {
      ...list,
      ...fill,
    });
    return result === 0 ? value.status : result;
  };

  assert.is(setup({ nr_frames: 65 }), GNTST.general_error);
  assert.is(setup({ dom: 2 }), GNTST.permission_denied);
  assert.is(setup({ dom: 77 }), GNTST.bad_domain);
  assert.is(setup({ frame_list: 0x7000_0000_0000n }), GNTST.bad_virt_addr);
  assert.is(
    answer(() => opOne.call(one.domain, [BigInt(GNTTABOP.setup_table), one.address, 2n])),
    'EINVAL',
  );
});

test('the version changes while nothing is in use, and is told', () => {
  const { one, opOne } = domains(64);
  const set = (version: number) => {
    const { result, value } = ask(one, opOne, GNTTABOP.set_version, gnttab_set_version, {
      version,
    });
    return [result, value.version];
  };
  const told = () =>
    ask(one, opOne, GNTTABOP.get_version, gnttab_get_version, { dom: DOMID.SELF }).value.version;

  assert.equal(set(3), ['EINVAL', 1]);
  assert.equal(set(2), [0, 2]);
  assert.is(told(), 2);
  const status = ask(one, opOne, GNTTABOP.get_status_frames, gnttab_get_status_frames, {
    ...{ dom: DOMID.SELF, nr_frames: 1, frame_list: one.address + second },
  });
  assert.is(status.value.status, GNTST.okay);
  assert.is(
    one.domain.guest.readU64(one.address + second),
    BigInt(one.table.entries.statusFrames[0] ?? 0),
  );
  one.table.entries.writeEntry(20, GTF.permit_access, 2, one.frame);
  const use = { by: 2, readOnly: true, as: ['host'] as const, isMapping: true };
  const pinned = one.table.pin(20, use, () => undefined);
  assert.equal(set(1), ['EBUSY', 2]);
  pinned.release();
  assert.equal(set(1), [0, 1]);
});

test('a granted page is mapped, and unmapped by its handle', () => {
  for (const width of bothWidths) {
    const { one, two, opTwo } = domains(width);
    one.table.entries.writeEntry(9, GTF.permit_access, 2, one.frame);

    const mapped = ask(two, opTwo, GNTTABOP.map_grant_ref, gnttab_map_grant_ref, {
      ...{ host_addr: 0x5000n, flags: GNTMAP.host_map, ref: 9, dom: 1 },
    });
    const seen = [mapped.result, mapped.value.status, mapped.value.handle];
    const bus = mapped.value.dev_bus_addr;
    const where = two.mapped.get(0x5000n);
    const unmap = (fill: object) =>
      ask(two, opTwo, GNTTABOP.unmap_grant_ref, gnttab_unmap_grant_ref, {
        ...{ host_addr: 0x5000n, dev_bus_addr: 0n, handle: 0, ...fill },
      }).value.status;

    assert.equal(seen, [0, GNTST.okay, 0]);
    assert.is(bus, BigInt(one.frame) * 4096n);
    assert.is(where, one.frame);
    assert.is(unmap({ handle: 1 }), GNTST.bad_handle);
    assert.is(unmap({ host_addr: 0x6000n }), GNTST.general_error);
    assert.is(unmap({}), GNTST.okay);
    assert.is(unmap({}), GNTST.bad_handle);
    assert.not(one.table.isInUse(9));
  }
});

test('a mapping that cannot be made leaves nothing in use', () => {
  const { one, two, opTwo } = domains(64);
  one.table.entries.writeEntry(9, GTF.permit_access, 2, one.frame);
  const map = (fill: object) =>
    ask(two, opTwo, GNTTABOP.map_grant_ref, gnttab_map_grant_ref, {
      ...{ host_addr: 0x5000n, flags: GNTMAP.host_map, ref: 9, dom: 1, ...fill },
    }).value.status;

  assert.is(map({ flags: 0 }), GNTST.bad_gntref);
  assert.is(map({ dom: 77 }), GNTST.bad_domain);
  assert.is(map({ dom: 0 }), GNTST.general_error);
  assert.is(map({ ref: 4096 }), GNTST.bad_gntref);
  assert.is(map({ host_addr: 0x5001n }), GNTST.general_error);
  assert.not(one.table.isInUse(9));
  assert.is(one.domain.frames.referencesOf(one.frame), 0);
});

test('bytes are copied from a granted page into an own one', () => {
  for (const width of bothWidths) {
    const { one, two, opTwo } = domains(width);
    one.table.entries.writeEntry(9, GTF.permit_access | GTF.readonly, 2, one.frame);
    one.domain.memory.bytes().set([1, 2, 3, 4], one.host + 100);
    const copy = (fill: object) => {
      const { value } = ask(two, opTwo, GNTTABOP.copy, gnttab_copy, {
        source: { u: 9n, domid: 1, offset: 100 },
        dest: { u: BigInt(two.frame + 3), domid: DOMID.SELF, offset: 8 },
        ...{ len: 4, flags: GNTCOPY.source_gref, ...fill },
      });
      return value.status;
    };

    assert.is(copy({}), GNTST.okay);
    const at = two.host + 3 * pageSize + 8;
    assert.equal([...two.domain.memory.bytes().subarray(at, at + 4)], [1, 2, 3, 4]);
    assert.is(copy({ len: 4000 }), GNTST.bad_copy_arg);
    assert.is(copy({ flags: 0 }), GNTST.permission_denied);
    assert.is(copy({ source: { u: 10n, domid: 1, offset: 0 } }), GNTST.general_error);
    assert.is(copy({ source: { u: 9n, domid: 77, offset: 0 } }), GNTST.bad_domain);
    assert.is(
      copy({ dest: { u: BigInt(one.frame), domid: DOMID.SELF, offset: 0 } }),
      GNTST.bad_page,
    );
    assert.is(copy({ dest: { u: 9n, domid: 1, offset: 0 }, flags: 3 }), GNTST.general_error);
    assert.not(one.table.isInUse(9));
  }
});

test('a page changes its owner where one awaits it', () => {
  const { one, two, opTwo } = domains(64);
  const { frames } = one.domain;
  one.table.entries.writeEntry(9, GTF.accept_transfer, 2, 0x77);
  const give = (frame: number) =>
    ask(two, opTwo, GNTTABOP.transfer, gnttab_transfer, {
      ...{ mfn: BigInt(frame), domid: 1, ref: 9 },
    }).value.status;

  assert.is(give(one.frame), GNTST.bad_page);
  assert.is(give(two.frame + 5), GNTST.okay);
  assert.is(frames.ownerOf(two.frame + 5), 1);
  assert.is(one.table.entries.entry(9).frame, BigInt(two.frame + 5));
  assert.is(
    one.table.entries.entry(9).flags,
    GTF.accept_transfer | GTF.transfer_committed | GTF.transfer_completed,
  );
  // Nobody awaits a second one: it is lost.
  assert.is(give(two.frame + 6), GNTST.general_error);
  assert.is(frames.ownerOf(two.frame + 6), DOMID.INVALID);
});

test('entries are swapped, caches flushed, and what is no operation is refused', () => {
  const { one, two, opOne } = domains(64);
  one.table.entries.writeEntry(9, GTF.permit_access, 2, one.frame);
  const swap = (ref_a: number, ref_b: number) =>
    ask(one, opOne, GNTTABOP.swap_grant_ref, gnttab_swap_grant_ref, { ref_a, ref_b }).value.status;
  const flush = (fill: object) =>
    ask(one, opOne, GNTTABOP.cache_flush, gnttab_cache_flush, {
      ...{ a: BigInt(one.frame) * 4096n, offset: 0, length: 64, op: GNTTAB_CACHE.CLEAN, ...fill },
    }).result;

  assert.is(swap(9, 10), GNTST.okay);
  assert.is(one.table.entries.entry(10).domid, 2);
  assert.is(swap(9, 600), GNTST.bad_gntref);
  assert.is(flush({}), 0);
  assert.is(flush({ offset: 4090 }), 'EINVAL');
  assert.is(flush({ op: 0x8000_0001 }), 'EINVAL');
  assert.is(flush({ op: GNTTAB_CACHE.INVAL }), 'EOPNOTSUPP');
  assert.is(flush({ op: 8 }), 'EINVAL');
  assert.is(flush({ a: BigInt(two.frame) * 4096n }), 'EINVAL');
  assert.is(flush({ a: 0n }), 'EINVAL');
  assert.is(
    answer(() => opOne.call(one.domain, [BigInt(GNTTABOP.dump_table), one.address, 1n])),
    'ENOSYS',
  );
  assert.is(
    answer(() => opOne.call(one.domain, [5n, one.address, 0xffff_ffffn])),
    'EINVAL',
  );
});

test('a list is done until its first struct that is nowhere', () => {
  const { one, opOne } = domains(64);
  const size = gnttab_swap_grant_ref.layout(64).size;
  const last = one.address + BigInt(64 * pageSize - size);
  gnttab_swap_grant_ref
    .layout(64)
    .at(one.domain.memory, one.host + 64 * pageSize - size).ref_a = 9999;

  assert.is(
    answer(() => opOne.call(one.domain, [BigInt(GNTTABOP.swap_grant_ref), last, 2n])),
    'EFAULT',
  );
  const { status } = gnttab_swap_grant_ref
    .layout(64)
    .at(one.domain.memory, one.host + 64 * pageSize - size);
  assert.is(status, GNTST.bad_gntref);
});

const seed = freshSeed();
test(`hostile operations harm nobody else (seed ${seed})`, () => {
  const numbers = random(seed);
  for (const width of bothWidths) {
    const { one, two, opTwo } = domains(width);
    const secret = one.host + 40 * pageSize;
    one.domain.memory.bytes().fill(0xa5, secret, secret + pageSize);
    for (let ref = 8; ref < 16; ref++)
      one.table.entries.writeEntry(ref, numbers.below(8), 2, one.frame + (ref % 4));
    for (let i = 0; i < 20_000; i++) hostile(numbers, one, two, opTwo);

    const kept = one.domain.memory.bytes().subarray(secret, secret + pageSize);
    assert.ok(kept.every((byte) => byte === 0xa5));
    for (let page = 0; page < 64; page++) assert.is(one.domain.frames.ownerOf(one.frame + page), 1);
  }
});

/** d2 writes what it likes into its own table and its operations; most of it nearly makes sense. */
function hostile(
  numbers: ReturnType<typeof random>,
  one: GrantDomain,
  two: GrantDomain,
  op: Hypercall,
): void {
  const { memory, guest } = two.domain;
  const bytes = numbers.bytes(64).map((byte) => (numbers.below(4) === 0 ? byte : byte & 3));
  memory.bytes().set(bytes, two.host);
  const view = memory.view();
  for (const at of [0, 8, 16]) {
    const frames = [one.frame + 40, two.frame + numbers.below(32) + 1, numbers.below(20)];
    if (numbers.below(2) === 0) view.setUint32(two.host + at, frames[numbers.below(3)] ?? 0, true);
    if (numbers.below(3) === 0) view.setUint16(two.host + at + 4, numbers.below(3), true);
  }
  const { entries } = two.table;
  const flags = numbers.below(16) | (numbers.below(8) === 0 ? GTF.sub_page : 0);
  entries.writeEntry(numbers.below(32), flags, numbers.below(4), one.frame + 40);
  const count = BigInt(numbers.below(40) === 0 ? numbers.u32() : numbers.below(3));
  const at = numbers.below(50) === 0 ? numbers.bigint64() : two.address;
  // Not transfers: a frame given away is of the other's, which the assertions count on.
  const number = BigInt(numbers.below(14));
  if (number === BigInt(GNTTABOP.transfer)) return;
  try {
    op.call(two.domain, [number, BigInt.asUintN(two.domain.width, at), count]);
  } catch (error) {
    assert.instance(error, XenError);
  }
  guest.fill(two.address, 64, 0);
}

test.run();
