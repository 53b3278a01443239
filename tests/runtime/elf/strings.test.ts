import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ImageFile } from '../../../runtime/elf/image-file.ts';
import { type StringTable, stringTable } from '../../../runtime/elf/strings.ts';
import { assertRefused } from '../../support/assert-refused.ts';

const strings = suite('runtime/elf/strings');

function table(text: string): StringTable {
  const file = new ImageFile('a', new TextEncoder().encode(text));
  return stringTable(file, file.part('it', 0, file.size), 'the strings');
}

strings('a name ends at its NUL and may be the end of another', () => {
  assert.is(table('\0hypercall\0').name(1), 'hypercall');
  assert.is(table('\0hypercall\0').name(6), 'call');
  assert.is(table('\0x\0').name(0), '');
});

strings('a name is compared as a whole', () => {
  assert.is(table('\0.note\0').is(1, '.note'), true);
  assert.is(table('\0.note.Xen\0').is(1, '.note'), false);
  assert.is(table('\0.note').is(1, '.note'), false);
});

strings('a name beyond the table, or one that does not end, is refused', async () => {
  await assertRefused(
    () => table('\0x\0').name(3),
    'a: truncated: the strings has 0x3 bytes, a name lies at 0x3',
  );
  await assertRefused(
    () => table('\0open').name(1),
    'a: the strings: the name at 0x1 does not end within 255 bytes',
  );
  await assertRefused(
    () => table(`${'a'.repeat(256)}\0`).name(0),
    'a: the strings: the name at 0x0 does not end within 255 bytes',
  );
});

strings('a label is cut where nobody would read on', () => {
  assert.is(table(`${'a'.repeat(300)}\0`).label(0), `${'a'.repeat(255)}…`);
  assert.is(table(`${'a'.repeat(255)}\0`).label(0), 'a'.repeat(255));
});

strings.run();
