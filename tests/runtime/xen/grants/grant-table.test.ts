import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GNTST, GTF } from '../../../../runtime/abi/grant-table.ts';
import { frameTypes } from '../../../../runtime/xen/frames.ts';
import { GrantError } from '../../../../runtime/xen/grants/grant-error.ts';
import type { GrantTable, GrantUse } from '../../../../runtime/xen/grants/grant-table.ts';
import { grantDomains } from '../../../support/grant-domain.ts';

const test = suite('runtime/xen/grants/grant-table');

const mapping = (by: number, readOnly = false): GrantUse => ({
  ...{ by, readOnly, as: ['host'], isMapping: true },
});
const copying = (by: number, readOnly = false): GrantUse => ({
  ...{ by, readOnly, as: ['host'], isMapping: false },
});

const nobody = () => undefined;

/** GNTST's name for what became of it. */
function statusOf(call: () => unknown): number {
  try {
    call();
    return GNTST.okay;
  } catch (error) {
    if (error instanceof GrantError) return error.status;
    throw error;
  }
}

test('a granted page is in use until the last user lets go', () => {
  for (const version of [1, 2] as const) {
    const { one } = grantDomains(64);
    const { table, frame } = one;
    table.entries.setVersion(version);
    table.entries.writeEntry(9, GTF.permit_access, 2, frame);

    const reader = table.pin(9, mapping(2, true), nobody);
    const writer = table.pin(9, mapping(2), nobody);
    const references = one.domain.frames.referencesOf(frame);
    writer.release();
    writer.release();
    const afterWriter = inUse(table, 9);
    reader.release();

    assert.is(reader.frame, frame);
    assert.is(references, 2);
    assert.is(afterWriter, GTF.reading);
    assert.is(inUse(table, 9), 0);
    assert.is(one.domain.frames.referencesOf(frame), 0);
    assert.is(one.domain.frames.typeCountOf(frame), 0);
  }
});

/** What the guest finds of it. */
function inUse({ entries }: GrantTable, ref: number): number {
  return entries.statusOf(ref) & (GTF.reading | GTF.writing);
}

test('only whom a page is granted to uses it, as it is granted', () => {
  const { one } = grantDomains(64);
  const { table, frame } = one;
  table.entries.writeEntry(9, GTF.permit_access, 2, frame);
  table.entries.writeEntry(10, GTF.permit_access | GTF.readonly, 2, frame);
  table.entries.writeEntry(11, GTF.accept_transfer, 2, frame);
  table.entries.writeEntry(12, GTF.permit_access, 2, 0x10);

  assert.is(
    statusOf(() => table.pin(9, mapping(3), nobody)),
    GNTST.general_error,
  );
  assert.is(
    statusOf(() => table.pin(10, mapping(2), nobody)),
    GNTST.general_error,
  );
  assert.is(
    statusOf(() => table.pin(10, mapping(2, true), nobody)),
    GNTST.okay,
  );
  assert.is(
    statusOf(() => table.pin(11, mapping(2), nobody)),
    GNTST.general_error,
  );
  assert.is(
    statusOf(() => table.pin(12, mapping(2), nobody)),
    GNTST.bad_page,
  );
  assert.is(
    statusOf(() => table.pin(512, mapping(2), nobody)),
    GNTST.bad_gntref,
  );
  assert.is(
    statusOf(() => table.pin(8, mapping(2), nobody)),
    GNTST.general_error,
  );
});

test('what an entry says later changes nothing for who uses it already', () => {
  const { one } = grantDomains(64);
  const { table, frame } = one;
  table.entries.writeEntry(9, GTF.permit_access, 2, frame);
  const first = table.pin(9, mapping(2), nobody);

  table.entries.writeEntry(9, GTF.permit_access | GTF.reading | GTF.writing, 3, frame + 1);
  const second = table.pin(9, mapping(2), nobody);

  assert.is(second.frame, frame);
  assert.is(
    statusOf(() => table.pin(9, mapping(3), nobody)),
    GNTST.general_error,
  );
  first.release();
  second.release();
});

test('a page of another domain is not granted by naming it', () => {
  const { one, two } = grantDomains(64);
  one.table.entries.writeEntry(9, GTF.permit_access, 2, two.frame);

  assert.is(
    statusOf(() => one.table.pin(9, copying(2), nobody)),
    GNTST.bad_page,
  );
});

test('a page table is granted for reading alone', () => {
  const { one } = grantDomains(64);
  const { frames } = one.domain;
  one.table.entries.writeEntry(9, GTF.permit_access, 2, one.frame);
  frames.setType(one.frame, frameTypes.l1);
  frames.addTypeCount(one.frame, 1);

  assert.is(
    statusOf(() => one.table.pin(9, mapping(2), nobody)),
    GNTST.general_error,
  );
  assert.is(inUse(one.table, 9), 0);
  assert.is(
    statusOf(() => one.table.pin(9, mapping(2, true), nobody)),
    GNTST.okay,
  );
});

test('a grant is used 128 times at most', () => {
  const { one } = grantDomains(64);
  one.table.entries.writeEntry(9, GTF.permit_access, 2, one.frame);
  for (let i = 0; i < 128; i++) one.table.pin(9, mapping(2, true), nobody);

  assert.is(
    statusOf(() => one.table.pin(9, mapping(2, true), nobody)),
    GNTST.general_error,
  );
});

test('a part of a page is copied from, not mapped', () => {
  const { one } = grantDomains(64);
  one.table.entries.setVersion(2);
  one.table.entries.writeEntry(9, GTF.permit_access | GTF.sub_page, 2, one.frame);

  assert.is(
    statusOf(() => one.table.pin(9, mapping(2), nobody)),
    GNTST.general_error,
  );
  const part = one.table.pin(9, copying(2, true), nobody);
  assert.is(part.length, 0);
});

test('a transitive grant gives what another has granted, one level deep', () => {
  const { one, two, peers } = grantDomains(64);
  for (const { table } of [one, two]) table.entries.setVersion(2);
  // d2's page is granted to d1 by reference 20, and d1 passes it on to d3.
  two.table.entries.writeEntry(20, GTF.permit_access, 1, two.frame);
  one.table.entries.writeTransitive(9, 3, 2, 20);

  const passed = one.table.pin(9, copying(3), peers);
  const during = [inUse(one.table, 9), inUse(two.table, 20)];
  passed.release();

  assert.is(passed.frame, two.frame);
  assert.equal(during, [GTF.reading | GTF.writing, GTF.reading | GTF.writing]);
  assert.equal([inUse(one.table, 9), inUse(two.table, 20)], [0, 0]);
  assert.is(two.domain.frames.referencesOf(two.frame), 0);
});

test('no transitive grant leads to itself, to another such or to a mapping', () => {
  const { one, two, peers } = grantDomains(64);
  for (const { table } of [one, two]) table.entries.setVersion(2);
  one.table.entries.writeTransitive(9, 3, 1, 9);
  one.table.entries.writeTransitive(10, 3, 2, 20);
  two.table.entries.writeTransitive(20, 1, 1, 9);
  one.table.entries.writeTransitive(11, 3, 77, 1);

  for (const ref of [9, 10, 11]) {
    assert.is(
      statusOf(() => one.table.pin(ref, copying(3), peers)),
      GNTST.general_error,
    );
    assert.is(
      statusOf(() => one.table.pin(ref, mapping(3), peers)),
      GNTST.general_error,
    );
  }
  assert.equal([inUse(one.table, 10), inUse(two.table, 20)], [0, 0]);
});

test.run();
