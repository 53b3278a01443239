import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseImage } from '../../../runtime/elf/image.ts';
import { ImageFile } from '../../../runtime/elf/image-file.ts';
import { readNotes, type XenNote } from '../../../runtime/elf/notes.ts';
import { assertRefused } from '../../support/assert-refused.ts';
import { domainFlags, domainSource, openWorkshop, type Workshop } from '../../support/elf-files.ts';

const notes = suite<{ workshop: Workshop }>('runtime/elf/notes');

notes.before((context) => {
  context.workshop = openWorkshop();
});
notes.after(({ workshop }) => workshop.remove());

const miniOs: readonly XenNote[] = [
  { name: 'GUEST_OS', value: 'Mini-OS' },
  { name: 'LOADER', value: 'generic' },
  { name: 'HYPERCALL_PAGE', value: 0x2000n },
  { name: 'XEN_VERSION', value: 'xen-3.0' },
  { name: 'L1_MFN_VALID', value: [1n, 1n] },
];

for (const width of [64, 32] as const)
  for (const form of ['noteSegment', 'noteSection'] as const)
    notes(`Xen’s notes are read from a ${form} of an ELF${width} image`, async ({ workshop }) => {
      const path = workshop.link(`${form}-${width}`, domainSource[form], width, domainFlags);

      const image = await parseImage(workshop.read(path), 'a');

      assert.is(image.kind, 'domain');
      assert.is(image.entry, 0n);
      assert.equal(image.notes, miniOs);
    });

notes(
  '__xen_guest says the same in its own words, the hypercall page as a page number',
  async ({ workshop }) => {
    const path = workshop.link('guest', domainSource.guestSection, 32, domainFlags);

    const image = await parseImage(workshop.read(path), 'a');

    assert.equal(image.notes, [
      { name: 'GUEST_OS', value: 'Mini-OS' },
      { name: 'XEN_VERSION', value: 'xen-3.0' },
      { name: 'VIRT_BASE', value: 0n },
      { name: 'PADDR_OFFSET', value: 0n },
      { name: 'HYPERCALL_PAGE', value: 0x2000n },
      { name: 'PAE_MODE', value: 'yes[extended-cr3]' },
      { name: 'LOADER', value: 'generic' },
    ]);
  },
);

notes('a page number in __xen_guest counts from VIRT_BASE', async ({ workshop }) => {
  const source = domainSource.guestSection.replace('VIRT_BASE=0x0', 'VIRT_BASE=0x40000000');
  const path = workshop.link('based', source, 64, domainFlags);

  const image = await parseImage(workshop.read(path), 'a');

  assert.equal(image.notes.find(({ name }) => name === 'HYPERCALL_PAGE')?.value, 0x4000_2000n);
});

notes(
  'the note ENTRY goes before e_entry, and must lie in executable memory',
  async ({ workshop }) => {
    const source = (entry: string): string =>
      `${domainSource.noteSection}.long 4, 8, 1\n.asciz "Xen"\n.quad ${entry}\n`;
    const made = (entry: string): Uint8Array =>
      workshop.read(workshop.link('entry', source(entry), 64, domainFlags));

    assert.is((await parseImage(made('_start'), 'a')).entry, 0n);
    await assertRefused(
      () => parseImage(made('0x999'), 'a'),
      'a: its entry point 0x999 lies in no executable segment',
    );
  },
);

/** A note, its strings padded to four bytes. */
function note(owner: string, type: number, value: readonly number[]): number[] {
  const padded = (bytes: readonly number[]): number[] => [
    ...bytes,
    ...Array.from({ length: (4 - (bytes.length % 4)) % 4 }, () => 0),
  ];
  const name = [...new TextEncoder().encode(owner), 0];
  const words = new Uint8Array(Uint32Array.of(name.length, value.length, type).buffer);
  return [...words, ...padded(name), ...padded(value)];
}

function read(bytes: readonly number[], fileSize = bytes.length): readonly XenNote[] {
  const file = new ImageFile('a', Uint8Array.from(bytes));
  const header = {
    index: 0,
    type: 4,
    flags: 4,
    offset: 0n,
    address: 0n,
    physical: 0n,
    alignment: 1n,
    memorySize: 0n,
  };
  return readNotes(file, 64, [{ ...header, fileSize: BigInt(fileSize) }], [], 0).notes;
}

notes('a last note that runs past its segment is read, as long as the file holds it', async () => {
  const bytes = [...note('Xen', 2, [0, 0x20]), ...note('Xen', 8, [0x67, 0x65, 0x6e, 0])];

  assert.equal(read(bytes, bytes.length - 4), [
    { name: 'HYPERCALL_PAGE', value: 0x2000n },
    { name: 'LOADER', value: 'gen' },
  ]);
  await assertRefused(
    () => read(bytes.slice(0, -4)),
    'a: truncated: the value of a note of note segment 0 lies at 0x24 and is 0x4 bytes long, beyond the end of the file (0x24 bytes)',
  );
});

notes('of a last note that runs past the file, what the file has is read', () => {
  const bytes = note('Xen', 9, [0x79, 0x65, 0x73, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

  assert.equal(read(bytes.slice(0, -8), bytes.length - 12), [{ name: 'PAE_MODE', value: 'yes' }]);
});

notes('only notes of owner Xen count; one of an unknown type keeps its bytes', () => {
  const bytes = [
    ...note('name', 2, [1, 2]),
    ...note('GNU', 1, [1, 2, 3, 4]),
    ...note('Xen', 77, [0xde, 0xad]),
    ...note('Xen', 19, [...[0, 0, 0x20, 0], ...[0xff, 0xff, 0xff, 0x3f]]),
  ];

  assert.equal(read(bytes), [
    { name: 'type 77', value: 'de ad' },
    { name: 'PHYS32_RELOC', value: [0x20_0000n, 0x3fff_ffffn] },
  ]);
});

notes('more notes than any image needs are refused', async () => {
  const many = Array.from({ length: 1025 }, () => note('Xen', 2, [1])).flat();

  await assertRefused(() => read(many), 'a: it has more than 1024 notes');
  await assertRefused(
    () =>
      read(
        note(
          'Xen',
          6,
          Array.from({ length: 5000 }, () => 65),
        ),
      ),
    'a: a Xen note at 0x0 is 0x1388 bytes long; at most 4096 are read',
  );
});

notes('a number that __xen_guest spells wrong is refused by its key', async ({ workshop }) => {
  const source = domainSource.guestSection.replace('HYPERCALL_PAGE=0x2', 'HYPERCALL_PAGE=two');
  const path = workshop.link('wrong', source, 64, domainFlags);

  await assertRefused(
    () => parseImage(workshop.read(path), 'a'),
    'a: __xen_guest: HYPERCALL_PAGE=two is not a number',
  );
});

notes.run();
