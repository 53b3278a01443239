import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DT } from '../../../runtime/elf/dynamic.ts';
import { parseImage } from '../../../runtime/elf/image.ts';
import { assertRefused } from '../../support/assert-refused.ts';
import { programHeader, withDynamic, withProgramHeader } from '../../support/elf-edit.ts';
import { openWorkshop, withoutSectionHeaders } from '../../support/elf-files.ts';

const dynamic = suite<{ gnu: Uint8Array; sysv: Uint8Array }>('runtime/elf/dynamic');

dynamic.before((context) => {
  const workshop = openWorkshop();
  context.gnu = workshop.read(workshop.application('gnu', 64));
  context.sysv = workshop.read(workshop.application('sysv', 64, ['-Wl,--hash-style=sysv']));
  workshop.remove();
});

dynamic(
  'the dynamic section is found without section headers, with either hash table',
  async ({ gnu, sysv }) => {
    for (const bytes of [gnu, sysv]) {
      const image = await parseImage(withoutSectionHeaders(bytes), 'a');

      assert.equal(image.needed, ['libminios.so']);
      assert.equal(image.imports.map(({ name }) => name).sort(), [
        'minios_current',
        'minios_exit',
        'minios_write',
      ]);
    }
  },
);

dynamic(
  'without any hash table the relocations tell how many symbols there are',
  async ({ gnu }) => {
    const image = await parseImage(withDynamic(gnu, BigInt(DT.GNU_HASH), undefined), 'a');

    assert.is(image.imports.length, 3);
  },
);

// biome-ignore format: one refusal a line
const refusals: readonly (readonly [tag: keyof typeof DT, value: bigint | undefined, message: RegExp])[] = [
  ['STRTAB', undefined, /^a: its dynamic section lacks DT_STRTAB$/],
  ['STRSZ', undefined, /^a: its dynamic section lacks DT_STRSZ$/],
  ['STRTAB', 0x10n, /^a: the dynamic string table lies at address 0x10, which is in no segment$/],
  ['STRSZ', 0x10_0000n, /^a: truncated: the dynamic string table lies at address 0x4\w+ and is 0x100000 bytes long, beyond what the file holds of its segment$/],
  ['STRSZ', 4n, /^a: truncated: the dynamic string table has 0x4 bytes, a name lies at 0x\w+$/],
  ['SYMTAB', undefined, /^a: its dynamic section has relocations, but lacks DT_SYMTAB$/],
  ['SYMTAB', 0n, /^a: the dynamic symbol table lies at address 0x0, which is in no segment$/],
  ['SYMENT', 16n, /^a: DT_SYMENT is 16; an ELF64 symbol takes 24 bytes$/],
  ['RELASZ', undefined, /^a: its dynamic section has DT_RELA without DT_RELASZ$/],
  ['RELASZ', 25n, /^a: truncated: DT_RELASZ is 0x19; an entry takes 24 bytes$/],
  ['RELA', 0x1n, /^a: the table of DT_RELA lies at address 0x1, which is in no segment$/],
  ['PLTRELSZ', 0x2_4000n, /^a: truncated: the table of DT_JMPREL lies at address 0x4\w+ and is 0x24000 bytes long, beyond what the file holds of its segment$/],
];

dynamic('a dynamic section that leads astray is refused by the tag', async ({ gnu }) => {
  for (const [tag, value, message] of refusals) {
    const damaged = withDynamic(gnu, BigInt(DT[tag]), value);

    await assertRefused(() => parseImage(damaged, 'a'), message);
  }
});

dynamic('a dynamic section without its DT_NULL is cut', async ({ gnu }) => {
  await assertRefused(
    () => parseImage(withProgramHeader(gnu, programHeader(gnu, 2), { p_filesz: 0x50n }), 'a'),
    /^a: truncated: the dynamic section at 0x\w+ has no DT_NULL within its 0x50 bytes$/,
  );
  await assertRefused(
    () => parseImage(withProgramHeader(gnu, programHeader(gnu, 2), { p_offset: 0x10_0000n }), 'a'),
    /^a: truncated: the dynamic section lies at 0x100000 and is 0x\w+ bytes long, beyond the end of the file/,
  );
});

dynamic.run();
