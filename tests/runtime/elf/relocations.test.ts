import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ElfImage,
  parseImage,
  type Relocation,
  type Width,
} from '../../../runtime/elf/image.ts';
import { applyRelocations } from '../../../runtime/elf/relocations.ts';
import { assertRefused } from '../../support/assert-refused.ts';
import { openWorkshop, withoutSectionHeaders } from '../../support/elf-files.ts';

interface Context {
  readonly images: Record<Width, { bytes: Uint8Array; listed: string }>;
}
const relocations = suite<Context>('runtime/elf/relocations');

/** A pointer into another's data, one to a function that may be missing, and data that is copied in. */
const source = `
extern char minios_table[];
extern void *minios_current;
void minios_exit(int status);
__attribute__((weak)) void minios_optional(void);
char *inside = minios_table + 5;
void (*optional)(void) = minios_optional;
void _start(void) { minios_exit(minios_current != 0); }
`;

relocations.before((context) => {
  const workshop = openWorkshop();
  const make = (width: Width): { bytes: Uint8Array; listed: string } => {
    const path = workshop.application(`a-${width}`, width, [], source);
    return { bytes: workshop.read(path), listed: workshop.tool('readelf', '-rW', path) };
  };
  Object.assign(context, { images: { 64: make(64), 32: make(32) } });
  workshop.remove();
});

for (const width of [64, 32] as const) {
  relocations(`an ELF${width} image has the relocations that readelf lists`, async ({ images }) => {
    const image = await parseImage(images[width].bytes, 'a');

    const rows = image.relocations.map(
      ({ address, type, symbol }) =>
        `${address.toString(16).padStart(width / 4, '0')} ${type} ${symbol}`,
    );

    assert.equal(rows, listedRows(images[width].listed));
    assert.ok(rows.length >= 4);
  });

  relocations(`an ELF${width} image is relocated`, async ({ images }) => {
    const image = await parseImage(withoutSectionHeaders(images[width].bytes), 'a');
    const at = (type: RegExp, symbol: string): bigint | undefined =>
      image.relocations.find((each) => type.test(each.type) && each.symbol === symbol)?.address;

    const { written, copied } = apply(image, {
      minios_exit: 0x1000n,
      minios_table: 0x2000n,
      minios_current: 0x3000n,
    });

    assert.is(written.get(at(/JUMP|JMP/, 'minios_exit') ?? 0n), 0x1000n);
    assert.is(written.get(at(/_(64|32)$/, 'minios_table') ?? 0n), 0x2005n);
    assert.is(written.get(at(/_(64|32)$/, 'minios_optional') ?? 0n), 0n);
    assert.equal(copied, [[at(/COPY/, 'minios_current'), 'minios_current', width / 8]]);
  });
}

relocations('imports are functions, data, and data that is copied in', async ({ images }) => {
  const { imports } = await parseImage(images[64].bytes, 'a');

  const rows = imports.map(({ name, kind, size, weak }) => `${name} ${kind} ${size} ${weak}`);

  assert.equal(rows.sort(), [
    'minios_current data 8 false',
    'minios_exit function 0 false',
    'minios_optional function 0 true',
    'minios_table data 0 false',
  ]);
});

relocations('an import that nobody has is named before anything is written', async ({ images }) => {
  const image = await parseImage(images[64].bytes, 'a.elf');

  await assertRefused(
    () => apply(image, { minios_exit: 1n, minios_current: 2n }),
    'a.elf: it imports minios_table, which Mini-OS does not have',
  );
  await assertRefused(
    () => apply(image, { minios_exit: 1n, minios_table: 2n }),
    'a.elf: it imports minios_current, which Mini-OS does not have',
  );
});

const place = { address: 0x4000n, weak: false, addend: 0n, size: 4 };

// biome-ignore format: one formula of the psABI a line
const formulas: readonly (readonly [width: Width, relocation: Relocation, expected: bigint])[] = [
  [64, { ...place, type: 'R_X86_64_64', symbol: 'f', addend: -8n }, 0xfff8n],
  [64, { ...place, type: 'R_X86_64_GLOB_DAT', symbol: 'f', addend: 9n }, 0x1_0000n],
  [64, { ...place, type: 'R_X86_64_JUMP_SLOT', symbol: 'f', addend: 9n }, 0x1_0000n],
  [64, { ...place, type: 'R_X86_64_RELATIVE', addend: 0x1234n }, 0x1234n],
  [64, { ...place, type: 'R_X86_64_64', symbol: 'own', value: 0x77n, addend: 1n }, 0x78n],
  [64, { ...place, type: 'R_X86_64_64', addend: -1n }, 0xffff_ffff_ffff_ffffn],
  [32, { ...place, type: 'R_386_32', symbol: 'f', addend: -8n }, 0xfff8n],
  [32, { ...place, type: 'R_386_PC32', symbol: 'f', addend: -4n }, 0xbffcn],
  [32, { ...place, type: 'R_386_PC32', symbol: 'own', value: 0n, addend: -4n }, 0xffff_bffcn],
  [32, { ...place, type: 'R_386_GLOB_DAT', symbol: 'f', addend: 9n }, 0x1_0000n],
  [32, { ...place, type: 'R_386_JMP_SLOT', symbol: 'f', addend: 9n }, 0x1_0000n],
  [32, { ...place, type: 'R_386_RELATIVE', addend: 0x1234n }, 0x1234n],
];

relocations('every type computes what its psABI says', () => {
  for (const [width, relocation, expected] of formulas) {
    const image = { name: 'a', width, relocations: [relocation] };

    const { written } = apply(image, { f: 0x1_0000n });

    assert.equal([...written], [[0x4000n, expected]], relocation.type);
  }
});

relocations('NONE changes nothing', () => {
  const image = {
    name: 'a',
    width: 64 as const,
    relocations: [{ ...place, type: 'R_X86_64_NONE', size: 0 }],
  };

  const { written, copied } = apply(image, {});

  assert.is(written.size + copied.length, 0);
});

relocations('a type that the loader does not apply is refused by name', async () => {
  const attempt = (type: string) => () =>
    apply({ name: 'a.elf', width: 64, relocations: [{ ...place, type }] }, {});

  await assertRefused(
    attempt('R_X86_64_IRELATIVE'),
    'a.elf: relocation R_X86_64_IRELATIVE at 0x4000 is unknown here: an indirect function (ifunc); build without target_clones and ifunc attributes',
  );
  await assertRefused(
    attempt('R_X86_64_TPOFF64'),
    'a.elf: relocation R_X86_64_TPOFF64 at 0x4000 is unknown here: thread-local storage of a shared library; link the image statically',
  );
  await assertRefused(
    attempt('type 99'),
    'a.elf: relocation type 99 at 0x4000 is unknown here; link with -no-pie and -z now',
  );
});

function apply(
  image: Pick<ElfImage, 'name' | 'width' | 'relocations'>,
  exported: Readonly<Record<string, bigint>>,
): { written: Map<bigint, bigint>; copied: unknown[] } {
  const written = new Map<bigint, bigint>();
  const copied: unknown[] = [];
  applyRelocations(
    image,
    (name) => {
      const address = exported[name];
      return address === undefined ? undefined : { address };
    },
    (address, size, value) => {
      assert.is(size, image.width / 8);
      written.set(address, value);
    },
    (to, symbol, size) => copied.push([to, symbol, size]),
  );
  return { written, copied };
}

/** `offset info type [value] name [+ addend]` of readelf -rW. */
function listedRows(listed: string): string[] {
  return listed.split('\n').flatMap((line) => {
    const [address = '', , type = '', , symbol] = line.trim().split(/\s+/);
    if (!/^[0-9a-f]{8,16}$/.test(address)) return [];
    return [`${address} ${type.replace('386_JUMP_SLOT', '386_JMP_SLOT')} ${symbol}`];
  });
}

relocations.run();
