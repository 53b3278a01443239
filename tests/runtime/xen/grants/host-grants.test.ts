import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GTF } from '../../../../runtime/abi/grant-table.ts';
import { HostGrants } from '../../../../runtime/xen/grants/host-grants.ts';
import { grantDomains } from '../../../support/grant-domain.ts';
import { answer } from '../../../support/xen-answers.ts';

const test = suite('runtime/xen/grants/host-grants');

test('a back-end finds the page that a guest has granted to it', () => {
  const { one } = grantDomains(64);
  const { frames } = one.domain;
  const grants = new HostGrants(one.table, frames);
  one.table.entries.writeEntry(9, GTF.permit_access, 0, one.frame);

  const mapping = grants.map(9, 'write');
  const during = one.table.entries.entry(9).flags;
  mapping.unmap();
  mapping.unmap();

  assert.is(mapping.host, one.host);
  assert.is(during, GTF.permit_access | GTF.reading | GTF.writing);
  assert.is(one.table.entries.entry(9).flags, GTF.permit_access);
});

test('a back-end is refused what is not granted', () => {
  const { one } = grantDomains(64);
  const grants = new HostGrants(one.table, one.domain.frames);
  one.table.entries.writeEntry(9, GTF.permit_access, 2, one.frame);
  one.table.entries.writeEntry(10, GTF.permit_access | GTF.readonly, 0, one.frame);
  one.table.entries.writeEntry(11, GTF.permit_access, 0, 0);

  assert.is(
    answer(() => grants.map(9, 'read')),
    'EACCES',
  );
  assert.is(
    answer(() => grants.map(10, 'write')),
    'EACCES',
  );
  assert.is(
    answer(() => grants.map(11, 'read')),
    'EINVAL',
  );
  assert.is(
    answer(() => grants.map(100_000, 'read')),
    'EINVAL',
  );
});

test.run();
