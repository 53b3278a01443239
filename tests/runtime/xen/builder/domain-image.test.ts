import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { XenNote } from '../../../../runtime/elf/image.ts';
import { domainImage } from '../../../../runtime/xen/builder/domain-image.ts';
import { assertRefused } from '../../../support/assert-refused.ts';
import { fakeDomain } from '../../../support/domain-image.ts';

const test = suite('runtime/xen/builder/domain-image');

const note = (name: string, value: XenNote['value']): XenNote => ({ name, value });
const read = (width: 64 | 32, ...notes: XenNote[]) => domainImage(fakeDomain(width, { notes }));

test('a kernel high up lies where its physical addresses and VIRT_BASE put it', () => {
  const image = fakeDomain(64, {
    notes: [note('VIRT_BASE', 0xffff_ffff_8000_0000n), note('INIT_P2M', 0x80_0000_0000n)],
    address: 0xffff_ffff_8100_0000n,
    physical: 0x100_0000n,
  });

  const { start, end, base, p2m, hasOldTables } = domainImage(image);

  assert.is(base, 0xffff_ffff_8000_0000n);
  assert.is(start, 0xffff_ffff_8100_0000n);
  assert.is(end, 0xffff_ffff_8100_5000n);
  assert.is(p2m, 0x80_0000_0000n);
  assert.is(hasOldTables, false);
});

test('the physical addresses of images from before notes begin at VIRT_BASE', () => {
  const notes = [note('VIRT_BASE', 0x4000_0000n)];
  const image = fakeDomain(32, { notes, hasLegacyNotes: true, address: 0x4000_0000n });

  const { start, hasOldTables } = domainImage(image);

  assert.is(start, 0x4000_0000n);
  assert.is(hasOldTables, true);
});

test('notes that contradict each other are told', async () => {
  await assertRefused(
    () => read(64, note('VIRT_BASE', 0n), note('VIRT_BASE', 0x1000n)),
    'guest.elf: its notes contradict each other: VIRT_BASE is 0x0 and 0x1000',
  );
  await assertRefused(
    () => read(64, note('GUEST_OS', 'A'), note('GUEST_OS', 'B')),
    "guest.elf: its notes contradict each other: GUEST_OS is 'A' and 'B'",
  );
  await assertRefused(
    () => read(64, note('INIT_P2M', 0x2000n)),
    'guest.elf: its notes contradict each other: INIT_P2M 0x2000 lies inside of the image',
  );
  const notes = [note('VIRT_BASE', 0x10_0000n)];
  await assertRefused(
    () => domainImage(fakeDomain(64, { notes, physical: 0n, address: 0x1000n })),
    'guest.elf: its entry point 0x1000 lies outside of it, 0x100000 to 0x105000',
  );
});

test('an image that wants to lie in Xen’s own addresses is refused', async () => {
  await assertRefused(
    () => read(64, note('VIRT_BASE', 0xffff_8000_0000_0000n)),
    "guest.elf: its VIRT_BASE 0xffff800000000000 lies in Xen's own addresses, 0xffff800000000000 and up",
  );
  const notes = [note('VIRT_BASE', 0xf57f_f000n)];
  await assertRefused(
    () => domainImage(fakeDomain(32, { address: 0xf57f_f000n, notes, physical: 0n })),
    "guest.elf: it would lie at 0xf57ff000 to 0xf5804000, in Xen's own addresses",
  );
  await assertRefused(
    () => read(64, note('INIT_P2M', 0xffff_8000_0000_0000n)),
    /its INIT_P2M 0xffff800000000000 lies in Xen's own addresses/,
  );
});

test('what no Xen of today gives is refused by its name', async () => {
  await assertRefused(() => read(64, note('LOADER', 'odd')), /wants the loader 'odd'/);
  await assertRefused(() => read(64, note('XEN_VERSION', 'xen-2.0')), /interface 'xen-2.0'/);
  await assertRefused(() => read(32, note('PAE_MODE', 'no')), /page tables without PAE/);
  await assertRefused(
    () => read(64, note('FEATURES', '!auto_translated_physmap')),
    "guest.elf: it needs Xen's feature auto_translated_physmap, which a PV domain does not have",
  );
  await assertRefused(() => read(64, note('FEATURES', 'x|!flying')), /'flying', which is unknown/);
  await assertRefused(() => read(64, note('HYPERCALL_PAGE', 0x2010n)), /is no page of the image/);
  await assertRefused(() => read(64, note('VIRT_BASE', 'ff ff')), /VIRT_BASE is no number/);
});

test('features that a guest would only use, or insists on and has, do not stand in its way', () => {
  const features = '!writable_page_tables|pae_pgdir_above_4gb|auto_translated_physmap';

  assert.is(read(64, note('FEATURES', features)).base, 0n);
  assert.is(read(32, note('PAE_MODE', 'yes[extended-cr3]')).base, 0n);
});

test.run();
