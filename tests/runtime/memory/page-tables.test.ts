/** The walk against tables written by hand: where it ends, which fault it takes, what it marks (SDM vol. 3, 4.6 to 4.8). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Access, pageFaultCode } from '../../../runtime/memory/address-space.ts';
import { MachineMemory } from '../../../runtime/memory/machine-memory.ts';
import { PageTables, pageBits } from '../../../runtime/memory/page-tables.ts';
import { TableBuilder } from '../../../runtime/memory/table-builder.ts';
import { NumberedFrames } from '../../support/numbered-frames.ts';

const tables = suite('runtime/memory/page-tables');

const { present, writable, user, accessed, dirty, large } = pageBits;
const { write, reserved, execute } = pageFaultCode;
const noExecute = 1n << 63n;
const ordinary = BigInt(present | writable | user);
const levelsOf = { 64: 4, 32: 3 } as const;
const both = [64, 32] as const;
/** One page in the middle of nowhere, with an index of its own in every table. */
const pageOf = { 64: 0xffff_8123_4567_8000n, 32: 0xc123_4000n } as const;

interface Guest {
  readonly builder: TableBuilder;
  readonly space: PageTables;
  readonly page: bigint;
  /** A page of the machine. */
  readonly host: number;
}

function guestOf(width: 64 | 32, bits?: bigint): Guest {
  const memory = new MachineMemory(64 * 2 ** 20);
  const builder = new TableBuilder(memory, levelsOf[width], new NumberedFrames(memory));
  const { frames, root, levels } = builder;
  const host = memory.allocate(4096);
  const page = pageOf[width];
  if (bits !== undefined) builder.map(page, host, bits);
  return { builder, space: new PageTables({ levels, memory, frames, root }), page, host };
}

for (const width of both) {
  tables(`${width}-bit: an address is found through all levels`, () => {
    const { space, page, host } = guestOf(width, ordinary);

    assert.is(space.translate(page, 'read'), host);
    assert.is(space.translate(page + 0xfffn, 'write'), host + 0xfff);
    assert.is(space.translate(page + 0x123n, 'execute'), host + 0x123);
  });

  tables(`${width}-bit: what is not present at any level is not present`, () => {
    for (let level = 1; level <= levelsOf[width]; level++) {
      const { builder, space, page } = guestOf(width, ordinary);
      const entry = builder.entry(page, level);
      builder.setEntry(page, entry & ~1n, level);

      assert.equal(space.translate(page + 7n, 'read'), { errorCode: 0, address: page + 7n });
      assert.equal(space.translate(page, 'write'), { errorCode: write, address: page });
      assert.equal(space.translate(page, 'execute'), { errorCode: execute, address: page });
      assert.is(space.look(page), undefined);
    }
  });

  tables(
    `${width}-bit: a page is as writable, as open to users and as executable as all levels say`,
    () => {
      const top = width === 64 ? 4 : 2;
      for (let level = 1; level <= top; level++) {
        const refused = (bits: (entry: bigint) => bigint, access: Access): unknown => {
          const { builder, space, page } = guestOf(width, ordinary);
          builder.setEntry(page, bits(builder.entry(page, level)), level);
          space.isUser = true;
          return space.translate(page, access);
        };
        const fault = (code: number): object => ({
          errorCode: present | pageFaultCode.user | code,
          address: pageOf[width],
        });

        assert.equal(
          refused((entry) => entry & ~BigInt(writable), 'write'),
          fault(write),
        );
        assert.type(
          refused((entry) => entry & ~BigInt(writable), 'read'),
          'number',
        );
        assert.equal(
          refused((entry) => entry & ~BigInt(user), 'read'),
          fault(0),
        );
        assert.equal(
          refused((entry) => entry | noExecute, 'execute'),
          fault(execute),
        );
        assert.type(
          refused((entry) => entry | noExecute, 'write'),
          'number',
        );
      }
    },
  );

  tables(
    `${width}-bit: the supervisor reads and runs user pages, and may not write read-only ones`,
    () => {
      const { space, page } = guestOf(width, BigInt(present | user));

      assert.type(space.translate(page, 'read'), 'number');
      assert.type(space.translate(page, 'execute'), 'number');
      assert.equal(space.translate(page, 'write'), { errorCode: present | write, address: page });
    },
  );

  tables(`${width}-bit: physical addresses have 40 bits; the rest is reserved`, () => {
    for (let level = 1; level <= levelsOf[width]; level++) {
      const { builder, space, page } = guestOf(width, ordinary);
      const entry = builder.entry(page, level);
      builder.setEntry(page, entry | (1n << 40n), level);

      const errorCode = present | reserved | write;
      assert.equal(space.translate(page, 'write'), { errorCode, address: page });
    }
  });

  tables(
    `${width}-bit: a page of 2 MiB maps each of its pages, and its lower bits are reserved`,
    () => {
      const { builder, space } = guestOf(width);
      const memory = builder.memory;
      const [start, first] = [0x40_0000n, memory.allocate(4 * 2 ** 20)];
      const frame = builder.frames.frameOf(first);
      const aligned = frame + 512 - (frame % 512);
      const host = first + (aligned - frame) * 4096;
      const bits = ordinary | BigInt(large);
      builder.map(start, host, bits, 2);

      assert.is(space.translate(start + 0x1f_f123n, 'read'), host + 0x1f_f123);
      builder.setEntry(start, builder.entry(start, 2) | 0x1000n, 2); // PAT
      assert.is(space.translate(start + 0x3004n, 'read'), host + 0x3004);
      builder.setEntry(start, builder.entry(start, 2) | 0x2000n, 2);
      assert.equal(space.translate(start, 'read'), {
        errorCode: present | reserved,
        address: start,
      });
    },
  );

  tables(`${width}-bit: a walk marks what it used as accessed, and what it writes as dirty`, () => {
    const { builder, space, page } = guestOf(width, BigInt(present | writable));
    const has = (bits: number, level = 1): boolean =>
      (builder.entry(page, level) & BigInt(bits)) === BigInt(bits);
    const upper = builder.entry(page, 2);
    builder.setEntry(page, upper & ~BigInt(accessed), 2);

    space.look(page);
    assert.is(has(accessed), false);
    space.translate(page, 'read');
    assert.is(has(accessed), true);
    assert.is(has(accessed, 2), true);
    assert.is(has(dirty), false);
    space.translate(page, 'write');
    assert.is(has(dirty), true);
    assert.is(has(dirty, 2), false);
  });

  tables(`${width}-bit: what faults marks nothing`, () => {
    const { builder, space, page } = guestOf(width, BigInt(present));

    space.translate(page, 'write');

    assert.is(builder.entry(page) & BigInt(accessed | dirty), 0n);
  });

  tables(`${width}-bit: a frame that the machine does not have reads as reserved bits`, () => {
    const { builder, space, page } = guestOf(width);
    builder.setEntry(page, (0xfff_ffffn << 12n) | ordinary);

    const fault = { errorCode: present | reserved, address: page };
    assert.equal(space.translate(page, 'read'), fault);
    space.root = 1;
    assert.equal(space.translate(page, 'read'), fault);
  });
}

tables('a page of 1 GiB maps each of its pages', () => {
  const { builder, space } = guestOf(64);
  const frame = 0x4_0000; // 1 GiB
  const start = 0x7f00_0000_0000n;
  const bits = ordinary | BigInt(large);
  builder.setEntry(start, (BigInt(frame) << 12n) | bits, 3);
  const spread = new PageTables({
    levels: 4,
    memory: builder.memory,
    root: builder.root,
    frames: {
      hostOf: (number) =>
        number >= frame && number < 2 * frame
          ? (number - frame) * 4096
          : builder.frames.hostOf(number),
    },
  });

  assert.is(spread.translate(start + 0x3fff_fffen, 'read'), 0x3fff_fffe);
  builder.setEntry(start, builder.entry(start, 3) | 0x2000n, 3);
  assert.equal(space.translate(start, 'read'), { errorCode: present | reserved, address: start });
});

tables('the topmost table of 4 levels has no pages', () => {
  const { builder, space, page } = guestOf(64, ordinary);
  builder.setEntry(page, builder.entry(page, 4) | BigInt(large), 4);

  assert.equal(space.translate(page, 'read'), { errorCode: present | reserved, address: page });
});

tables('the topmost entries of PAE have no rights, but reserved bits', () => {
  const { builder, space, page, host } = guestOf(32, ordinary);
  space.isUser = true;

  assert.is(space.translate(page, 'write'), host);
  builder.setEntry(page, builder.entry(page, 3) | BigInt(writable), 3);
  const errorCode = present | pageFaultCode.user | reserved;
  assert.equal(space.translate(page, 'read'), { errorCode, address: page });
});

tables('an address that is not canonical is no page fault', () => {
  const { space } = guestOf(64);
  const fault = (address: bigint): object => ({ errorCode: 0, address, isCanonical: false });

  for (const address of [0x8000_0000_0000n, 0xffff_7fff_ffff_ffffn, 1n << 63n])
    assert.equal(space.translate(address, 'write'), fault(address));
  assert.equal(space.translate(0x7fff_ffff_f000n, 'read'), {
    ...{ errorCode: 0, address: 0x7fff_ffff_f000n },
  });
});

tables.run();
