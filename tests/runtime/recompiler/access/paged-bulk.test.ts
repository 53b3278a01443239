/** Repeated MOVS and STOS behind page tables: frames in order, so in runs, and each somewhere, so through the TLB. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PagedSpace } from '../../../../runtime/minios/paged-space.ts';
import type { Mode } from '../../../../runtime/x86/registers.ts';
import {
  assertSame,
  filledGuest,
  randomCase,
  run,
  shortCopies,
} from '../../../support/bulk-cases.ts';
import {
  type AssemblyGuest,
  codeStart,
  dataStart,
  memoryEnd,
} from '../../../support/lockstep-guest.ts';
import { type Frames, mapPages } from '../../../support/paged-mapping.ts';
import { random } from '../../../support/random.ts';

const test = suite('runtime/recompiler/access/paged-bulk');

const page = 0x1000n;

async function pagedGuest(
  mode: Mode,
  frames: Frames,
): Promise<{ guest: AssemblyGuest; space: PagedSpace }> {
  const spaces: PagedSpace[] = [];
  const guest = await filledGuest(mode, {
    map: (memory) => {
      const ranges = [{ lo: codeStart, length: memoryEnd - codeStart }];
      const mapped = mapPages(memory, mode, ranges, frames);
      spaces.push(mapped.addressSpace);
      return mapped;
    },
    prepare: ({ paging }) => {
      paging?.runs.learn(dataStart);
      assert.is(paging?.runs.all.length, frames === 'in order' ? 1 : 0);
    },
  });
  const [space] = spaces;
  if (space === undefined) throw new TypeError('the guest was not mapped');
  return { guest, space };
}

for (const mode of [64, 32] as const)
  for (const frames of ['in order', 'scattered'] as const) {
    const name = `${mode}: frames ${frames}`;

    test(`${name}: any block comes out as element by element, faults included`, async () => {
      const { guest } = await pagedGuest(mode, frames);
      const source = random(11);

      for (let i = 0; i < 40; i++) await assertSame(guest, randomCase(source, mode));
    });

    test(`${name}: so does each short copy`, async () => {
      const { guest } = await pagedGuest(mode, frames);

      for (const given of shortCopies()) await assertSame(guest, given);
    });

    test(`${name}: a large block leaves a few times, and takes few looks at events`, async () => {
      const { guest } = await pagedGuest(mode, frames);
      const from = dataStart + 0x1_0000n;
      const given = { op: 'movs', bytes: 1, downwards: false, value: 0n, from } as const;
      await run(guest, { ...given, to: 0x80_0000n, count: 0x10_0000n });
      const { exits = 0 } = guest.cpu.paging?.counts ?? {};
      guest.cpu.setPolls(1000);

      const { count } = await run(guest, { ...given, to: 0x80_0000n, count: 0x10_0000n });

      assert.is(count, 0n);
      assert.ok((guest.cpu.paging?.counts.exits ?? 0) - exits < 100);
    });

    test(`${name}: a copy between two addresses of one frame repeats what it has written`, async () => {
      const { guest, space } = await pagedGuest(mode, frames);
      const [first, second] = [dataStart + 0x10n * page, dataStart + 0x20n * page];
      space.builder.setEntry(second, space.builder.entry(first));
      space.tables.invalidate(second);
      guest.write(first, Uint8Array.of(1, 2, 3, 4));

      await run(guest, {
        ...{ op: 'movs', bytes: 1, downwards: false, value: 0n },
        ...{ from: first, to: second + 4n, count: 12n },
      });

      assert.equal([...guest.read(first, 16)], [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]);
    });

    test(`${name}: pages with code beside the data are written element by element`, async () => {
      const { guest } = await pagedGuest(mode, frames);
      const watched = dataStart + 0x30n * page;
      const given = { op: 'stos', bytes: 4, downwards: false, from: 0n } as const;
      await run(guest, { ...given, value: 1n, to: watched - page, count: 0xc00n });
      guest.watch(watched);
      const { exits = 0 } = guest.cpu.paging?.counts ?? {};

      await run(guest, { ...given, value: 2n, to: watched - page, count: 0xc00n });

      assert.ok((guest.cpu.paging?.counts.exits ?? 0) - exits >= 0x400);
      assert.equal(new Set(guest.read(watched - page, 0x3000)), new Set([2, 0]));
    });
  }

test.run();
