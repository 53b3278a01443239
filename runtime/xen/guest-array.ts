/** Lists of structs that a guest points at: one is copied at a time, before anything is done with it. */
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { Layout, Struct, struct, Width } from '../memory/layout.ts';

type Fields = Parameters<typeof struct>[1];

/** Copies the `index`-th struct of a list. */
export function readStruct<F extends Fields>(
  guest: GuestMemory,
  type: Struct<F>,
  width: Width,
  address: bigint,
  index = 0,
): ReturnType<Layout<F>['at']> {
  const { size, at } = type.layout(width);
  const place = BigInt.asUintN(width, address + BigInt(index * size));
  return at(guest.readBytes(place, size), 0);
}
