import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readHeader } from '../../../runtime/elf/header.ts';
import { parseImage } from '../../../runtime/elf/image.ts';
import { ImageFile } from '../../../runtime/elf/image-file.ts';
import { readSections, SHT, sectionNamed } from '../../../runtime/elf/sections.ts';
import { assertRefused } from '../../support/assert-refused.ts';
import { withHeader } from '../../support/elf-edit.ts';
import { domainFlags, domainSource, openWorkshop } from '../../support/elf-files.ts';

const sections = suite<{ domain: Uint8Array }>('runtime/elf/sections');

sections.before((context) => {
  const workshop = openWorkshop();
  context.domain = workshop.read(workshop.link('a', domainSource.guestSection, 64, domainFlags));
  workshop.remove();
});

sections('a section is found by its name', ({ domain }) => {
  const file = new ImageFile('a', domain);
  const { width, sections: table } = readHeader(file);
  const all = readSections(file, width, table);

  assert.is(all.filter(({ type }) => type === SHT.SYMTAB).length, 1);
  assert.ok(sectionNamed(file, all, table.names, '__xen_guest'));
  assert.is(sectionNamed(file, all, table.names, '__xen_gues'), undefined);
});

sections('a table of names that is no section is refused', async ({ domain }) => {
  await assertRefused(
    () => parseImage(withHeader(domain, { e_shstrndx: 99n }), 'a'),
    /^a: the table of section names is said to be section 99, but there are \d+$/,
  );
});

sections('without the names of sections __xen_guest cannot be found', async ({ domain }) => {
  await assertRefused(
    () => parseImage(withHeader(domain, { e_shstrndx: 0n }), 'a'),
    /^a: neither a Mini-OS application .* nor a Xen domain/,
  );
});

sections.run();
