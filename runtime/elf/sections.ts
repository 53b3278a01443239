/** Section headers (System V ABI, chapter 4), for what only they lead to: .symtab, SHT_NOTE, `__xen_guest`. */
import type { SectionTable } from './header.ts';
import { type ImageFile, type Width, word } from './image-file.ts';
import { type StringTable, stringTable } from './strings.ts';

export interface Section {
  readonly index: number;
  readonly type: number;
  readonly offset: bigint;
  readonly size: bigint;
  readonly link: number;
  readonly nameOffset: number;
}

export const SHT = { SYMTAB: 2, STRTAB: 3, NOTE: 7, NOBITS: 8 } as const;

export function readSections(file: ImageFile, width: Width, table: SectionTable): Section[] {
  const view = file.part(
    'the table of section headers',
    table.count === 0 ? 0 : table.offset,
    table.count * table.entrySize,
  );
  const pointer = width / 8;
  return Array.from({ length: table.count }, (_, index) => {
    const at = index * table.entrySize;
    return {
      index,
      nameOffset: view.getUint32(at, true),
      type: view.getUint32(at + 4, true),
      offset: word(view, at + 8 + 2 * pointer, width),
      size: word(view, at + 8 + 3 * pointer, width),
      link: view.getUint32(at + 8 + 4 * pointer, true),
    };
  });
}

export function sectionPart(file: ImageFile, section: Section, what: string): DataView {
  if (section.type === SHT.NOBITS) file.fail(`${what} has no bytes in the file (SHT_NOBITS)`);
  return file.part(what, section.offset, section.size);
}

/** The string table that `index` means, or undefined for index 0, which means none. */
export function sectionStrings(
  file: ImageFile,
  sections: readonly Section[],
  index: number,
  what: string,
): StringTable | undefined {
  if (index === 0) return undefined;
  const section = sections[index];
  if (section === undefined)
    file.fail(`${what} is said to be section ${index}, but there are ${sections.length}`);
  return stringTable(file, sectionPart(file, section, what), what);
}

/** The first section of that name. */
export function sectionNamed(
  file: ImageFile,
  sections: readonly Section[],
  names: number,
  name: string,
): Section | undefined {
  if (sections.length === 0) return undefined;
  const strings = sectionStrings(file, sections, names, 'the table of section names');
  return sections.find((section) => strings?.is(section.nameOffset, name));
}
