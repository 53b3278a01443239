/**
 * Small functions that call nothing, written into the functions that call them: a copy a call, so that registers stay in
 * their locals on the way in and out. The return address is on the guest's stack as ever, and compared when it is popped.
 */
import type { Block, Terminator } from '../../ir/value.ts';
import type { GuestFunction } from '../discover.ts';

/** Instructions of a function that is worth a copy, and of all copies that a function may hold. */
const mostOfLeaf = 30;
const mostOfAll = 600;
/** A copy's blocks have addresses of their own, beyond all real ones; what they say of themselves has the real ones. */
const copyStep = 1n << 72n;
/** Exits count from the lowest instruction in 31 bits. */
const farthest = 1n << 30n;

/** The function with copies of what `functionAt` gives for the targets of its calls; itself where there is nothing to copy. */
export function inlineLeaves(
  fn: GuestFunction,
  functionAt: (entry: bigint) => GuestFunction | undefined,
): GuestFunction {
  const own = new Set(fn.blocks.map(({ address }) => address));
  const copies: Block[] = [];
  let instructions = fn.instructions;
  const blocks = fn.blocks.map((block) => {
    const { terminator } = block;
    if (terminator.kind !== 'call' || !own.has(terminator.returnTo)) return block;
    const leaf = functionAt(terminator.target);
    if (leaf === undefined || leaf === fn || !isLeaf(leaf, fn.entry)) return block;
    if (instructions - fn.instructions + leaf.instructions > mostOfAll) return block;
    instructions += leaf.instructions;
    const moved = copyStep * BigInt(copies.length + 1);
    copies.push(...leaf.blocks.map((each) => copyOf(each, moved, terminator.returnTo)));
    return { ...block, terminator: { kind: 'jump', target: leaf.entry + moved } as const };
  });
  return copies.length === 0 ? fn : { ...fn, blocks: [...blocks, ...copies], instructions };
}

/** Few blocks that only go forward, and return. */
function isLeaf({ blocks, instructions, entry, tables }: GuestFunction, caller: bigint): boolean {
  const distance = entry < caller ? caller - entry : entry - caller;
  if (instructions > mostOfLeaf || tables.size > 0 || distance > farthest) return false;
  const addresses = new Set(blocks.map(({ address }) => address));
  return blocks.every(({ address, statements, terminator }) => {
    const isForward = (target: bigint): boolean => target > address && addresses.has(target);
    if (statements.some(({ kind }) => kind === 'jumpIf')) return false;
    if (terminator.kind === 'jump') return isForward(terminator.target);
    if (terminator.kind === 'branch')
      return isForward(terminator.taken) && isForward(terminator.otherwise);
    return terminator.kind === 'return';
  });
}

const copyOf = (block: Block, moved: bigint, returnTo: bigint): Block => ({
  ...block,
  address: block.address + moved,
  terminator: movedOf(block.terminator, moved, returnTo),
});

function movedOf(terminator: Terminator, moved: bigint, returnTo: bigint): Terminator {
  switch (terminator.kind) {
    case 'jump':
      return { ...terminator, target: terminator.target + moved };
    case 'branch':
      return {
        ...terminator,
        taken: terminator.taken + moved,
        otherwise: terminator.otherwise + moved,
      };
    case 'return':
      return { ...terminator, expected: returnTo };
    default:
      return terminator;
  }
}
