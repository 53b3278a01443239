import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseImage } from '../../../runtime/elf/image.ts';
import { ImageFile } from '../../../runtime/elf/image-file.ts';
import { loadSegments } from '../../../runtime/elf/segments.ts';
import { stringTable } from '../../../runtime/elf/strings.ts';
import { type ElfSymbol, readSymbols, symbolTable } from '../../../runtime/elf/symbols.ts';
import { assertRefused } from '../../support/assert-refused.ts';
import { openWorkshop } from '../../support/elf-files.ts';

const symbols = suite('runtime/elf/symbols');

const file = new ImageFile(
  'x.elf',
  new TextEncoder().encode('\0main\0label\0start\0data\0alias\0'),
);
const strings = stringTable(file, file.part('strings', 0, file.size), 'the strings');
const header = {
  index: 0,
  type: 1,
  physical: 0n,
  alignment: 1n,
  offset: 0n,
  fileSize: 0n,
  memorySize: 0x1000n,
};
const segments = loadSegments(file, 64, [
  { ...header, address: 0x1000n, flags: 5 },
  { ...header, address: 0x3000n, flags: 6 },
]);

const symbol = (nameOffset: number, value: bigint, changes: Partial<ElfSymbol>): ElfSymbol => ({
  nameOffset,
  value,
  size: 0n,
  type: 2,
  binding: 1,
  section: 1,
  ...changes,
});

const start = symbol(12, 0x1000n, { type: 0 });
const main = symbol(1, 0x1100n, { size: 0x80n });
const label = symbol(6, 0x1120n, { type: 0, binding: 0 });
const data = symbol(18, 0x3000n, { type: 1, size: 8n });
const table = symbolTable(segments, [data, label, main, start], strings);

symbols('an address is named by the symbol that covers it, whatever labels it has inside', () => {
  assert.equal(table.find(0x1100n), { name: 'main', offset: 0n });
  assert.equal(table.find(0x1124n), { name: 'main', offset: 0x24n });
  assert.equal(table.find(0x3007n), { name: 'data', offset: 7n });
});

symbols('a label without a size names what follows it, up to the next symbol', () => {
  assert.equal(table.find(0x10ffn), { name: 'start', offset: 0xffn });
});

symbols('behind a symbol’s end, before the first and outside all segments there is no name', () => {
  assert.is(symbolTable(segments, [main], strings).find(0x1180n), undefined);
  assert.is(symbolTable(segments, [main], strings).find(0x10ffn), undefined);
  assert.is(table.find(0x2000n), undefined);
  assert.is(symbolTable(segments, [start], strings).find(0x3000n), undefined);
});

symbols('of several names for an address the sized global function is chosen', () => {
  const alias = symbol(23, 0x1100n, { type: 0, binding: 2 });

  const both = symbolTable(segments, [main, alias], strings);

  assert.equal(both.find(0x1100n), { name: 'main', offset: 0n });
});

symbols('functions are those in executable segments, sorted, one an address', () => {
  const twice = symbol(23, 0x1100n, { size: 0x80n, binding: 2 });
  const early = symbol(12, 0x1000n, {});
  const inData = symbol(18, 0x3000n, {});
  const undefinedOne = symbol(6, 0x1200n, { section: 0 });

  const { functions } = symbolTable(segments, [main, twice, inData, undefinedOne, early], strings);

  assert.equal(functions(), [
    { name: 'start', address: 0x1000n, size: 0n },
    { name: 'main', address: 0x1100n, size: 0x80n },
  ]);
});

symbols('a symbol that is named beyond its strings is refused', async () => {
  const view = new DataView(new ArrayBuffer(48));
  view.setUint32(24, 0x1000, true);

  await assertRefused(
    () => readSymbols(file, 64, 'the symbol table', view, strings),
    'x.elf: truncated: symbol 1 of the symbol table is named at 0x1000, beyond its strings (0x1d bytes)',
  );
  await assertRefused(
    () => readSymbols(file, 32, 'the symbol table', new DataView(new ArrayBuffer(17)), strings),
    'x.elf: truncated: the symbol table has 0x11 bytes; a symbol takes 16',
  );
});

symbols(
  'both classes have the functions that nm lists; stripping leaves the dynamic ones',
  async () => {
    const workshop = openWorkshop();
    for (const width of [64, 32] as const) {
      const path = workshop.application(`a-${width}`, width);
      const listed = workshop.tool('nm', '-n', '--defined-only', path).match(/^\w+ T \w+$/gm) ?? [];
      const { symbols: all } = await parseImage(workshop.read(path), 'a');
      workshop.tool('strip', path);
      const { symbols: left } = await parseImage(workshop.read(path), 'a');

      assert.equal(
        all.functions().map(({ name, address }) => `${address.toString(16)} T ${name}`),
        listed.map((line) => line.replace(/^0+/, '')),
      );
      assert.equal(left.functions(), []);
      const current = /R_\w+COPY/.exec(workshop.tool('readelf', '-rW', path));
      assert.ok(current);
    }
    workshop.remove();
  },
);

symbols.run();
