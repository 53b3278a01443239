/**
 * Jump tables of constants, by what a computed jump computes: `jmp *table(,index,size)` goes to an address of the table; position
 * independent code and OCaml's add a distance of 32 bits to an address, mostly the table's.
 */
import { constantOf } from '../ir/build.ts';
import type { Value } from '../ir/value.ts';
import type { Mode } from '../x86/registers.ts';
import type { CodeSource } from './discover.ts';

export interface TableOfJump {
  readonly index: Value;
  /** Where an index leads; undefined where the table has ended. */
  readonly target: (source: Pick<CodeSource, 'readConstant'>, index: number) => bigint | undefined;
}

export function tableAt(target: Value, mode: Mode): TableOfJump | undefined {
  const own = elementsAt(target);
  if (own !== undefined)
    return own.width === mode
      ? { index: own.index, target: (...at) => own.read(...at) }
      : undefined;
  if (target.op !== 'add') return undefined;
  const { constant: from, rest: distance } = constantPart(target);
  if (from === undefined || distance?.op !== 'signExtend') return undefined;
  const [loaded] = distance.args;
  const far = loaded && elementsAt(loaded);
  if (far?.width !== 32) return undefined;
  return {
    index: far.index,
    target: (...at) => {
      const to = far.read(...at);
      return to === undefined ? undefined : BigInt.asUintN(mode, from + BigInt.asIntN(32, to));
    },
  };
}

interface Elements {
  readonly index: Value;
  readonly width: Mode;
  readonly read: TableOfJump['target'];
}

/** A load from constant base + index * size of what is loaded. */
function elementsAt(value: Value): Elements | undefined {
  const { op, width, args } = value;
  if (op !== 'load' || (width !== 64 && width !== 32)) return undefined;
  const [address] = args;
  if (address?.op !== 'add') return undefined;
  const { constant: base, rest: scaled } = constantPart(address);
  if (base === undefined || scaled?.op !== 'shiftLeft') return undefined;
  const [index, by] = scaled.args;
  if (index === undefined || by === undefined) return undefined;
  const step = BigInt(width / 8);
  if (1n << (constantOf(by) ?? 0n) !== step) return undefined;
  const read: Elements['read'] = (source, i) => source.readConstant(base + BigInt(i) * step, width);
  return { index, width, read };
}

function constantPart({ args: [a, b] }: Value): { constant?: bigint; rest?: Value } {
  if (a === undefined || b === undefined) return {};
  const last = constantOf(b);
  if (last !== undefined) return { constant: last, rest: a };
  const first = constantOf(a);
  return first === undefined ? {} : { constant: first, rest: b };
}
