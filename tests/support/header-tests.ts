/** Tests that our structs and constants are those of Xen's headers: one a struct and width, one a group of constants. */
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Width } from '../../runtime/memory/layout.ts';
import { askHeaders, measureStruct } from './xen-headers.ts';

interface Declared {
  layout(width: Width): {
    readonly offsets: Readonly<Record<string, number>>;
    readonly size: number;
  };
}

/** Of unions and of structs in them one word alone is looked at. */
const ours = new Set(['u', 'a', 'addr', '_pad', 'pad', 'rsvd']);

/** Structs by their tags; constants by the prefix of their names. */
export function addHeaderTests(
  test: Test,
  headers: readonly string[],
  structs: Readonly<Record<string, Declared>>,
  constants: Readonly<Record<string, Readonly<Record<string, number>>>>,
): void {
  for (const width of [64, 32] as const)
    for (const [name, type] of Object.entries(structs))
      test(`${width}: struct ${name} lies as gcc lays it out`, async () => {
        const { offsets, size } = type.layout(width);
        const own = Object.entries(offsets).filter(([field]) => !ours.has(field));
        const fields = own.map(([field]) => field);

        const measured = await measureStruct(headers, width, `struct ${name}`, fields);

        assert.equal({ ...Object.fromEntries(own), sizeof: size }, measured);
      });

  for (const [prefix, values] of Object.entries(constants))
    test(`${prefix} has the header's numbers`, async () => {
      const asked = Object.keys(values).map((key) => [key, `${prefix}_${key}`]);

      const measured = await askHeaders(headers, 64, Object.fromEntries(asked));

      assert.equal({ ...values }, measured);
    });
}
