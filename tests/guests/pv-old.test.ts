/** Images in the forms that Mini-OS has had (notes that are not loaded, `__xen_guest`, gzip), and the page tables that each expects. */
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseImage } from '../../runtime/elf/image.ts';
import { boot } from '../../runtime/index.ts';
import type { Width } from '../../runtime/memory/layout.ts';
import { buildPvGuest } from '../support/pv-guest.ts';

const old = suite('guests/pv-old');

type Form = 'guest-section' | 'note-section';

const build = (form: Form, width: Width): Promise<Uint8Array> =>
  buildPvGuest('../pv-old', width, [`../pv-old/notes/${form}.S`]);

async function run(image: Uint8Array): Promise<readonly string[]> {
  const domain = await boot(image, { name: 'old', budget: 2 ** 30 });
  const ending = await domain.exited;
  assert.is(ending.status, 0, ending.report);
  return domain.console.text.replaceAll('\r', '').trimEnd().split('\n');
}

interface Tables {
  readonly magic: string;
  /** Entries of level 3 that are there. */
  readonly third: string;
  readonly count: string;
}

const native: Tables = { magic: 'xen-3.0-x86_64', third: '0', count: "5, others than level 1's 3" };
const [magic, allFour] = ['xen-3.0-x86_32p', "7, others than level 1's 5"];

const expected: readonly (readonly [Form, Width, Tables])[] = [
  ['guest-section', 64, native],
  ['note-section', 64, native],
  ['guest-section', 32, { magic, third: '0 3', count: "5, others than level 1's 3" }],
  ['note-section', 32, { magic, third: '0 1 2 3', count: allFour }],
];

for (const [form, width, tables] of expected)
  old(`${width}: an image with a ${form} finds its tables, and adds to them`, async () => {
    const image = await build(form, width);
    const { notes, hasLegacyNotes } = await parseImage(image, 'old');

    const lines = await run(image);

    assert.is(hasLegacyNotes, form === 'guest-section');
    assert.is(notes.find(({ name }) => name === 'HYPERCALL_PAGE')?.value, 0x1000n);
    assert.equal(lines, [
      tables.magic,
      'the list before start info 1, tables behind the console 1',
      `level 3 has ${tables.third}`,
      `tables ${tables.count}`,
      'mapped to 400000, pages read 1024',
      'level 2 has 0 there, 7 before it',
      'map_page(table, (uint64_t)mfn_of(table) << 12 | 5) = 0',
      'CALL4(mmu_update, updates, 2, 0, DOMID_SELF) = 0',
      'written there, found here: 1234',
    ]);
  });

for (const width of [64, 32] as const)
  old(`${width}: an image says the same when it is compressed by gzip`, async () => {
    const image = await build('guest-section', width);

    const packed = new Uint8Array(gzipSync(image));

    assert.ok(packed.length < image.length);
    assert.equal(await run(packed), await run(image));
  });

old.run();
