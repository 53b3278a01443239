/** Pictures of every depth, and pages that describe none, or one of others' frames. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { xenfb_page } from '../../../../runtime/abi/io/fbif.ts';
import { Framebuffer } from '../../../../runtime/backends/fb/framebuffer.ts';
import type { ForeignMemory } from '../../../../runtime/domain/foreign-memory.ts';
import { XenError } from '../../../../runtime/errors.ts';
import { MachineMemory, pageSize } from '../../../../runtime/memory/machine-memory.ts';
import { freshSeed, random } from '../../../support/random.ts';

const test = suite('runtime/backends/fb/framebuffer');

/** A guest whose frames are host pages by number, all of them its own from the first on. */
function guest(pages: number, width: 64 | 32 = 64) {
  const memory = new MachineMemory();
  const first = memory.allocate(pages * pageSize) / pageSize;
  let mapped = 0;
  const foreign: ForeignMemory = {
    map: (frame) => {
      if (frame < first || frame >= first + pages) throw new XenError('EINVAL', `frame ${frame}`);
      mapped++;
      return { host: frame * pageSize, unmap: () => mapped-- };
    },
  };
  const [shared, directory, picture] = [first, first + 1, first + 2];
  const page = xenfb_page.layout(width).at(memory, shared * pageSize);
  const describe = (fields: Partial<typeof page>, frames = pages - 2): void => {
    Object.assign(page, { width: 20, height: 10, line_length: 100, mem_length: 4096, depth: 32 });
    Object.assign(page, fields);
    page.pd = [BigInt(directory)];
    for (let n = 0; n < frames; n++)
      if (width === 64)
        memory.view().setBigUint64(directory * pageSize + 8 * n, BigInt(picture + n), true);
      else memory.view().setUint32(directory * pageSize + 4 * n, picture + n, true);
  };
  return {
    ...{ memory, describe, page },
    host: picture * pageSize,
    open: () => new Framebuffer(memory, foreign, shared * pageSize, width),
    mapped: () => mapped,
  };
}

for (const width of [64, 32] as const)
  test(`${width}: a pixel is where its row says, and each depth has its colours`, () => {
    const depths: readonly (readonly [number, readonly number[], readonly number[]])[] = [
      [32, [0x33, 0x22, 0x11, 0], [0x11, 0x22, 0x33]],
      [24, [0x33, 0x22, 0x11], [0x11, 0x22, 0x33]],
      [16, [0x1f, 0xf8], [254, 0, 254]],
      [8, [0b111_000_11], [254, 0, 255]],
    ];
    for (const [depth, bytes, colour] of depths) {
      const { memory, describe, host, open, mapped } = guest(8, width);
      describe({ depth, line_length: 100, mem_length: 8192 });
      memory.bytes().set(bytes, host + 4 * 100 + 7 * bytes.length);

      const picture = open();

      const pixels = picture.pixels({ x: 7, y: 4, width: 2, height: 1 });
      assert.equal([...pixels], [...colour, 255, 0, 0, 0, 255], `${depth} bits`);
      picture.close();
      assert.is(mapped(), 0);
    }
  });

test('a row may lie across pages, and a new size tells of the whole', () => {
  const { memory, describe, host, open } = guest(8);
  describe({ width: 500, height: 4, line_length: 2000, mem_length: 2 * 4096 });
  memory.bytes().set([9, 8, 7], host + 4096);
  const picture = open();
  const heard: unknown[] = [];
  picture.listen((part) => heard.push(part));
  // 4096 is 2 rows of 2000 and 24 pixels of 4.
  const pixels = picture.pixels({ x: 23, y: 2, width: 2, height: 1 });
  assert.equal([...pixels], [0, 0, 0, 255, 7, 8, 9, 255]);

  picture.resize({ width: 10, height: 10, stride: 40, depth: 32, offset: 4096 });
  picture.changed({ x: 5, y: -3, width: 100, height: 5 });
  picture.changed({ x: 50, y: 50, width: 1, height: 1 });

  assert.equal(heard, [
    { x: 0, y: 0, width: 10, height: 10 },
    { x: 5, y: 0, width: 5, height: 2 },
  ]);
  assert.equal([...picture.pixels({ x: 0, y: 0, width: 1, height: 1 })], [7, 8, 9, 255]);
  assert.throws(() => picture.resize({ width: 10, height: 200, stride: 41, depth: 32, offset: 0 }));
});

test('what describes no picture, or one of others’ frames, is an error and maps nothing', () => {
  const wrong = [
    { width: 0 },
    { height: -1 },
    { width: 100_000 },
    { depth: 9 },
    { line_length: 79 },
    { height: 42 },
    { mem_length: 0xffff_ffff },
    { mem_length: 64 * 4096 },
  ];
  for (const fields of wrong) {
    const { describe, open, mapped } = guest(8);
    describe(fields);
    assert.throws(open, (error: unknown) => error instanceof XenError, JSON.stringify(fields));
    assert.is(mapped(), 0);
  }
});

test('whatever stands in the page, it ends in a picture or an error', () => {
  const seed = freshSeed();
  const numbers = random(seed);
  for (let n = 0; n < 3000; n++) {
    const { describe, open, mapped } = guest(8);
    const some = (): number => (numbers.below(2) === 0 ? numbers.below(300) : numbers.u32() | 0);
    describe(
      {
        ...{ width: some(), height: some(), line_length: some() >>> 0, mem_length: some() >>> 0 },
        depth: [8, 15, 16, 24, 32, numbers.below(256)][numbers.below(6)] ?? 0,
      },
      numbers.below(10),
    );
    try {
      const picture = open();
      picture.pixels({ x: 0, y: 0, width: picture.width, height: picture.height });
      picture.close();
    } catch (error) {
      assert.ok(error instanceof XenError, `seed ${seed}, case ${n}: ${error}`);
    }
    assert.is(mapped(), 0, `seed ${seed}, case ${n}`);
  }
});

test.run();
