/** What recompiled code finds in the TLB: tags by permission, what follows in the machine, nothing that was invalidated. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MachineMemory } from '../../../runtime/memory/machine-memory.ts';
import { Tlb, tlbBytes, tlbEntries, tlbEntryBytes, tlbTable } from '../../../runtime/memory/tlb.ts';

const test = suite('runtime/memory/tlb');

const page = 0xffff_8000_0012_3000n;
const next = page + 0x1000n;
const host = 0x20_0000;

function tlbOf(): { tlb: Tlb; entry(address: bigint): { host: number; next: number } } {
  const memory = new MachineMemory(2 ** 24);
  const tlb = new Tlb(memory, memory.allocate(tlbBytes));
  const entry = (address: bigint): { host: number; next: number } => {
    const low = Number(address & 0xffff_ffffn);
    const at = tlbTable(tlb.start, 'load') + ((low >>> 12) % tlbEntries) * tlbEntryBytes;
    const view = memory.view();
    return {
      host: (low + view.getUint32(at + 8, true)) >>> 0,
      next: view.getUint32(at + 12, true),
    };
  };
  return { tlb, entry };
}

test('a filled page is found, with its place, by accesses of its kind alone', () => {
  const { tlb, entry } = tlbOf();

  tlb.fill('load', page, host);

  assert.is(tlb.has('load', page), true);
  assert.is(tlb.has('store', page), false);
  assert.is(tlb.has('load', page + (BigInt(tlbEntries) << 12n)), false);
  assert.is(entry(page).host, host);
});

for (const count of [3, 5000])
  test(`after a flush none of ${count} filled pages is found`, () => {
    const { tlb } = tlbOf();
    const at = (i: number): bigint => page + (BigInt(i) << 12n);
    for (let i = 0; i < count; i++) {
      tlb.fill('load', at(i), host + 4096 * i);
      tlb.fill('store', at(i), host + 4096 * i);
    }
    tlb.fillBesideCode(at(count), host, 0x1000);

    tlb.flush();

    for (let i = 0; i <= count; i++)
      assert.not.ok(tlb.has('load', at(i)) || tlb.has('store', at(i)) || tlb.isBesideCode(at(i)));
    tlb.fill('load', page, host);
    assert.ok(tlb.has('load', page));
  });

test('a page says whether the next one follows it, whichever was filled first', () => {
  for (const pages of [
    [page, next],
    [next, page],
  ]) {
    const { tlb, entry } = tlbOf();

    for (const each of pages) tlb.fill('load', each, host + Number(each - page));

    assert.is(entry(page).next, Number(next & 0xffff_ffffn));
    assert.is(entry(next).next, 1);
  }
});

test('pages that lie apart in the machine do not follow each other', () => {
  const { tlb, entry } = tlbOf();

  tlb.fill('load', page, host);
  tlb.fill('load', next, host + 0x2000);

  assert.is(entry(page).next, 1);
});

test('an invalidated page is gone, and nobody goes on into it', () => {
  const { tlb, entry } = tlbOf();
  tlb.fill('load', page, host);
  tlb.fill('load', next, host + 0x1000);
  tlb.fill('store', next, host + 0x1000);

  tlb.invalidate(next + 0x123n);

  assert.equal([tlb.has('load', next), tlb.has('store', next)], [false, false]);
  assert.is(tlb.has('load', page), true);
  assert.is(entry(page).next, 1);
});

test('a flush forgets all', () => {
  const { tlb } = tlbOf();
  tlb.fill('load', page, host);
  tlb.fill('store', 0n, host);

  tlb.flush();

  assert.equal([tlb.has('load', page), tlb.has('store', 0n)], [false, false]);
});

test('stores to a page of the machine are forgotten by whatever address, loads stay', () => {
  const { tlb } = tlbOf();
  const alias = 0x7000n;
  const other = 0x9000n;
  for (const [address, at] of [
    [page, host],
    [alias, host],
    [other, host + 0x5000],
  ] as const)
    for (const kind of ['load', 'store'] as const) tlb.fill(kind, address, at);

  tlb.forgetStoresTo(host, 0x1000);

  assert.equal([tlb.has('store', page), tlb.has('store', alias)], [false, false]);
  assert.equal([tlb.has('load', page), tlb.has('store', other)], [true, true]);
});

test.run();
