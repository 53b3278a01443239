import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { planAddresses } from '../../../../runtime/xen/builder/address-plan.ts';
import { domainImage } from '../../../../runtime/xen/builder/domain-image.ts';
import { assertRefused } from '../../../support/assert-refused.ts';
import { type FakeDomain, fakeDomain } from '../../../support/domain-image.ts';

const test = suite('runtime/xen/builder/address-plan');

const MiB = 2 ** 20;
const plan = (width: 64 | 32, options: FakeDomain = {}, ramdisk?: Uint8Array) =>
  planAddresses(domainImage(fakeDomain(width, options)), 32 * MiB, ramdisk);

test('Mini-OS with 32 MiB finds everything where Xen’s tools put it', () => {
  const { p2m, startInfo, xenstore, console, tables, tableFrames, stack, mappedEnd } = plan(64, {
    size: 0xe_2328n,
  });

  assert.equal(p2m, { pfn: 0xe3, pages: 16, address: 0xe_3000n });
  assert.equal([startInfo, xenstore, console], [0xf3, 0xf4, 0xf5]);
  assert.is(tables[0]?.pfn, 0xf6);
  assert.is(tableFrames, 5);
  assert.is(stack, 0xfb);
  assert.is(mappedEnd, 0x40_0000n);
});

test('PAE has a table of level 2 for each gigabyte, in old images only the first and the last', () => {
  const counts = (hasLegacyNotes: boolean): number[] =>
    plan(32, { hasLegacyNotes }).tables.map(({ count }) => count);

  assert.equal(counts(false), [1, 4, 2]);
  assert.equal(counts(true), [1, 2, 2]);
});

test('a ramdisk follows the image, or everything else where the guest does not want it mapped', () => {
  const ramdisk = new Uint8Array(5000);
  const mapped = plan(64, {}, ramdisk);
  const unmapped = plan(64, { notes: [{ name: 'MOD_START_PFN', value: 1n }] }, ramdisk);

  assert.is(mapped.ramdisk?.pfn, 5);
  assert.is(mapped.p2m.pfn, 7);
  assert.is(unmapped.p2m.pfn, 5);
  assert.is(unmapped.ramdisk?.pfn, unmapped.stack + 1);
});

test('a list of frames with a place of its own has tables of its own, behind it', () => {
  const notes = [{ name: 'INIT_P2M', value: 0x80_0000_0000n }];

  const { p2m, p2mTables, stack } = plan(64, { notes });

  assert.is(p2m.address, 0x80_0000_0000n);
  assert.is(p2m.pfn, stack + 1);
  assert.equal(
    p2mTables.map(({ level, pfn, count }) => [level, pfn - p2m.pfn, count]),
    [
      [3, 16, 1],
      [2, 17, 1],
      [1, 18, 1],
    ],
  );
});

test('what does not fit is named, with what it takes', async () => {
  const image = domainImage(fakeDomain(64));
  const large = domainImage(fakeDomain(64, { size: 0x100_0000n }));

  await assertRefused(
    () => planAddresses(image, 8 * MiB, new Uint8Array(9 * MiB)),
    'guest.elf: the ramdisk does not fit into memory: 9.0 MiB are needed, there are 8.0 MiB; give more with --memory',
  );
  await assertRefused(
    () => planAddresses(large, 8 * MiB, undefined),
    /^guest.elf: the image does not fit into memory: 16.0 MiB are needed/,
  );
});

test.run();
