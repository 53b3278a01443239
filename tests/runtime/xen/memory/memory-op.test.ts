import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  XENMEM,
  xen_memory_exchange,
  xen_memory_reservation,
} from '../../../../runtime/abi/memory.ts';
import { DOMID } from '../../../../runtime/abi/xen.ts';
import { XenError } from '../../../../runtime/errors.ts';
import { PageTables } from '../../../../runtime/memory/page-tables.ts';
import { frameTypes } from '../../../../runtime/xen/frames.ts';
import { Continuation } from '../../../../runtime/xen/hypercalls/hypercall.ts';
import { memoryOp } from '../../../../runtime/xen/memory/memory-op.ts';
import { Mmu } from '../../../../runtime/xen/mmu/mmu.ts';
import { PageTypes } from '../../../../runtime/xen/mmu/page-types.ts';
import { XenMappings } from '../../../../runtime/xen/mmu/xen-mappings.ts';
import { PvCpu } from '../../../../runtime/xen/pv-cpu.ts';
import { mostRequests } from '../../../../runtime/xen/request-allowance.ts';
import { FakeSystemCpu } from '../../../support/fake-system-cpu.ts';
import { testDomain } from '../../../support/xen-domain.ts';

const test = suite('runtime/xen/memory/memory-op');

/** The guest's lists are at `list`, its structs at `address`. */
function scene(width: 64 | 32, slack = 4) {
  const { domain, address, frame } = testDomain(width);
  const { frames, memory, id } = domain;
  const types = new PageTypes({ frames, domain: id, width, xen: new XenMappings(frames) });
  const levels = width === 64 ? 4 : 3;
  const tables = new PageTables({ levels, memory, frames, root: frame });
  const mmu = new Mmu({ types, tables, pv: new PvCpu(new FakeSystemCpu(width)) });
  const pages = frames.countOf(id);
  const op = memoryOp({ mmu, pages, mostPages: pages + slack, isThere: (domid) => domid === 0 });
  const list = address + 0x1000n;
  const put = (numbers: readonly number[]): void =>
    numbers.forEach((n, i) => {
      domain.guest.writeWord(list + BigInt((i * width) / 8), BigInt(n), width);
    });
  const got = (i: number): number =>
    Number(domain.guest.readWord(list + BigInt((i * width) / 8), width));
  const reserve = (number: number, count: number, order = 0, domid: number = DOMID.SELF) => {
    const bytes = new Uint8Array(xen_memory_reservation.size(width));
    const view = xen_memory_reservation.layout(width).at(bytes, 0);
    Object.assign(view, {
      extent_start: list,
      nr_extents: BigInt(count),
      extent_order: order,
      domid,
    });
    domain.guest.writeBytes(address, bytes);
    return op.call(domain, [BigInt(number), address]);
  };
  return { domain, frames, mmu, op, address, list, put, got, reserve, frame, pages };
}

const errno = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    if (error instanceof XenError) return error.errno;
    throw error;
  }
  return 'none';
};

for (const width of [64, 32] as const) {
  test(`${width}: frames are given back and taken again, and the table from machine frames says so`, () => {
    const { reserve, put, got, frame, frames, domain, pages } = scene(width);
    frames.m2p(width);

    put([frame + 9, 1, frame + 10]);
    assert.is(reserve(XENMEM.decrease_reservation, 3), 1);
    assert.is(frames.countOf(domain.id), pages - 1);
    assert.is(frames.ownerOf(frame + 9), DOMID.INVALID);
    put([77]);
    assert.is(reserve(XENMEM.populate_physmap, 1), 1);

    const place = frames.m2p(width) + got(0) * (width / 8);
    assert.is(frames.memory.view().getUint32(place, true), 77);
    assert.is(frames.ownerOf(got(0)), domain.id);
  });

  test(`${width}: a domain gets no more than it may have, and no larger extents`, () => {
    const { reserve, put } = scene(width, 3);

    put([0, 0, 0, 0]);
    assert.is(reserve(XENMEM.populate_physmap, 2, 1), 1);
    assert.is(reserve(XENMEM.increase_reservation, 4), 1);
    assert.is(reserve(XENMEM.populate_physmap, 1, 10), 0);
    assert.is(reserve(XENMEM.populate_physmap, 1, 0, 0), 0);
  });

  test(`${width}: single frames are exchanged for a stretch`, () => {
    const { op, put, frame, frames, domain, address, list, pages } = scene(width);
    const out = list + 0x100n;
    put([frame + 20, frame + 22, frame + 24, frame + 26]);
    domain.guest.writeWord(out, 500n, width);
    const bytes = new Uint8Array(xen_memory_exchange.size(width));
    const view = xen_memory_exchange.layout(width).at(bytes, 0);
    Object.assign(view.in, { extent_start: list, nr_extents: 4n, domid: DOMID.SELF });
    Object.assign(view.out, {
      extent_start: out,
      nr_extents: 1n,
      extent_order: 2,
      domid: DOMID.SELF,
    });
    domain.guest.writeBytes(address, bytes);
    const call = () => op.call(domain, [BigInt(XENMEM.exchange), address]);

    assert.is(errno(call), 'none');

    const first = Number(domain.guest.readWord(out, width));
    assert.is(first % 4, 0);
    assert.is(frames.ownerOf(first + 3), domain.id);
    assert.is(frames.countOf(domain.id), pages);
    const { offsets } = xen_memory_exchange.layout(width);
    const done = address + BigInt(offsets.nr_exchanged);
    assert.is(domain.guest.readWord(done, width), 4n);
    domain.guest.writeWord(done, 0n, width);
    put([1, 1, 1, 1]);
    assert.is(errno(call), 'EINVAL');
    assert.is(domain.guest.readWord(done, width), 0n);
  });
}

test('a frame that is in use stays the domain’s until it is not', () => {
  const { reserve, put, frame, frames, domain, pages } = scene(64);
  frames.addReference(frame + 5, 1);
  frames.setType(frame + 5, frameTypes.writable);

  put([frame + 5]);
  assert.is(reserve(XENMEM.decrease_reservation, 1), 1);
  assert.is(frames.countOf(domain.id), pages);
  frames.dropReference(frame + 5);

  assert.is(frames.countOf(domain.id), pages - 1);
});

test('a frame that Xen shares is not given to another, whatever its owner asks for', () => {
  const { reserve, put, frames, domain } = scene(64);
  const shared = frames.frameOf(domain.sharedInfo);

  put([shared]);
  assert.is(reserve(XENMEM.decrease_reservation, 1), 1);

  assert.is(frames.ownerOf(shared), domain.id);
  assert.is.not(frames.allocate(2, 1), shared);
});

test('a list that is longer than what one entry allows is gone on with', () => {
  const { reserve, put, frame, domain, op } = scene(64);
  domain.requests.take(mostRequests - 2, 'others');
  put([frame + 5, frame + 6, frame + 7]);

  const rest = reserve(XENMEM.decrease_reservation, 3);

  assert.ok(rest instanceof Continuation);
  assert.is(rest.args[0], BigInt(XENMEM.decrease_reservation) | (2n << 6n));
  domain.requests.renew();
  assert.is(op.call(domain, rest.args), 3);
  assert.is(op.call(domain, rest.args), 2, 'it has been given up');
});

test('domains may ask about themselves', () => {
  const { op, domain, address, pages } = scene(64);
  const ask = (domid: number) => {
    domain.guest.writeU32(address, domid);
    return op.call(domain, [BigInt(XENMEM.current_reservation), address]);
  };

  assert.is(ask(DOMID.SELF), pages);
  assert.is(
    errno(() => ask(0)),
    'EPERM',
  );
  assert.is(
    errno(() => ask(9)),
    'ESRCH',
  );
  assert.is(
    errno(() => op.call(domain, [63n, address])),
    'ENOSYS',
  );
});

test.run();
