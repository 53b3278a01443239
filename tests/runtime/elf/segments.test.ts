import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ImageFile } from '../../../runtime/elf/image-file.ts';
import {
  loadSegments,
  type ProgramHeader,
  partAt,
  segmentAt,
  threadVariables,
} from '../../../runtime/elf/segments.ts';
import { assertRefused } from '../../support/assert-refused.ts';

const segments = suite('runtime/elf/segments');

const file = new ImageFile(
  'x.elf',
  Uint8Array.from({ length: 0x100 }, (_, index) => index),
);

const load = (changes: Partial<ProgramHeader>): ProgramHeader => ({
  index: 0,
  type: 1,
  flags: 5,
  offset: 0x10n,
  address: 0x1000n,
  physical: 0x1000n,
  alignment: 0x1000n,
  fileSize: 0x20n,
  memorySize: 0x40n,
  ...changes,
});

segments('segments are sorted, and their bytes are a view of the file', () => {
  const [first, second] = loadSegments(file, 64, [
    load({ index: 0, address: 0x2000n, flags: 6 }),
    load({ index: 1, type: 4 }),
    load({ index: 2 }),
  ]);

  assert.is(first?.address, 0x1000n);
  assert.is(second?.address, 0x2000n);
  assert.is(first?.bytes.buffer, file.bytes.buffer);
  assert.equal([first?.bytes[0], first?.bytes.length, first?.fileOffset], [0x10, 0x20, 0x10]);
  assert.equal([first?.readable, first?.writable, first?.executable], [true, false, true]);
  assert.equal([second?.readable, second?.writable, second?.executable], [true, true, false]);
});

segments('a segment without file bytes may lie beyond the end of the file', () => {
  const [bss] = loadSegments(file, 64, [load({ offset: 0x3000n, fileSize: 0n })]);

  assert.is(bss?.bytes.length, 0);
  assert.is(bss?.memorySize, 0x40n);
});

segments('thread-local variables have the bytes of the file, the size of memory', () => {
  const own = load({ type: 7, fileSize: 4n, memorySize: 0x40n, alignment: 16n });

  assert.equal(threadVariables(file, [load({}), own]), {
    ...{ bytes: file.bytes.slice(0x10, 0x14), size: 0x40, alignment: 16 },
  });
  assert.is(threadVariables(file, [load({})]), undefined);
});

// biome-ignore format: one refusal a line
const wrong: readonly (readonly [string, Partial<ProgramHeader>, string])[] = [
  ['too many', { memorySize: 1n << 30n }, 'has 0x40000000 bytes of thread-local variables; at most 0x1000000 can be had'],
  ['more in the file', { memorySize: 1n }, 'has 0x20 bytes in the file, but 0x1 in memory'],
  ['no power of two', { alignment: 24n }, 'wants thread-local variables aligned to 0x18'],
  ['a large alignment', { alignment: 8192n }, 'wants thread-local variables aligned to 0x2000'],
];

for (const [what, changes, message] of wrong)
  segments(`thread-local variables are refused: ${what}`, async () => {
    await assertRefused(
      () => threadVariables(file, [load({ type: 7, ...changes })]),
      `x.elf: segment 0 ${message}`,
    );
  });

segments('the last page of the kernel half is an address like others', () => {
  const address = 0xffff_ffff_ffff_f000n;

  assert.is(loadSegments(file, 64, [load({ address, memorySize: 0x1000n })]).length, 1);
});

// biome-ignore format: one refusal a line
const refusals: readonly (readonly [width: 64 | 32, headers: readonly ProgramHeader[], message: string])[] = [
  [64, [load({ type: 6 })], 'it has no PT_LOAD segment, so nothing to load'],
  [64, [load({ fileSize: 0x41n })], 'segment 0 has 0x41 bytes in the file, but 0x40 in memory'],
  [64, [load({ offset: 0xf0n })], 'truncated: segment 0 lies at 0xf0 and is 0x20 bytes long, beyond the end of the file (0x100 bytes)'],
  [64, [load({ memorySize: 0x1_0000_0001n })], 'segment 0 takes 0x100000001 bytes of memory; at most 4 GiB can be had'],
  [64, [load({ memorySize: 1n << 32n }), load({ address: 1n << 40n })], 'its segments take 0x100000040 bytes of memory; at most 4 GiB can be had'],
  [64, [load({}), load({ address: 0x103fn })], 'its segments overlap: 0x1000 to 0x1040 and 0x103f to 0x107f'],
  [64, [load({ address: 0xffff_ffff_ffff_fff0n })], 'segment 0 at 0xfffffffffffffff0 wraps round the end of the 64-bit address space'],
  [32, [load({ address: 0xffff_fff0n })], 'segment 0 at 0xfffffff0 wraps round the end of the 32-bit address space'],
  [64, [load({ address: 0x8000_0000_0000n })], 'segment 0, 0x800000000000 to 0x800000000040, lies at addresses no x86-64 can form (not canonical)'],
  [64, [load({ address: 0x7fff_ffff_fff0n })], 'segment 0, 0x7ffffffffff0 to 0x800000000030, lies at addresses no x86-64 can form (not canonical)'],
];

segments('segments that cannot be loaded are refused by number', async () => {
  for (const [width, headers, message] of refusals)
    await assertRefused(() => loadSegments(file, width, headers), `x.elf: ${message}`);
});

segments('an address is found in the segment that holds all of it', () => {
  const loaded = loadSegments(file, 64, [load({}), load({ address: 0x2000n })]);

  assert.is(segmentAt(loaded, 0x103fn)?.address, 0x1000n);
  assert.is(segmentAt(loaded, 0x103fn, 2n), undefined);
  assert.is(segmentAt(loaded, 0xfffn), undefined);
  assert.is(segmentAt(loaded, 0x2000n)?.address, 0x2000n);
});

segments('what is read through an address lies in the file', async () => {
  const loaded = loadSegments(file, 64, [load({})]);

  assert.is(partAt(file, loaded, 'a table', 0x101en, 2).getUint8(1), 0x2f);
  await assertRefused(
    () => partAt(file, loaded, 'a table', 0x101fn, 2),
    'x.elf: truncated: a table lies at address 0x101f and is 0x2 bytes long, beyond what the file holds of its segment',
  );
  await assertRefused(
    () => partAt(file, loaded, 'a table', 0x3000n, 2),
    'x.elf: a table lies at address 0x3000, which is in no segment',
  );
});

segments.run();
