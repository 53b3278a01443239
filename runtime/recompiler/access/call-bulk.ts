/** The call that stands for a bulk statement, of a shared function: what Layout it goes through is that function's matter. */
import type { Value } from '../../ir/value.ts';
import { arg } from '../carrier.ts';
import type { Expression } from '../emit/emitter.ts';
import type { Frame } from '../lower/frame.ts';
import type { Values } from '../lower/values.ts';

export type BulkOp = 'bulkCopy' | 'bulkFill';
export type ElementWidth = 8 | 16 | 32 | 64;

/** Keeps the number of elements done; `nameOf` gives the name of the function that does them. */
export function callBulk(
  frame: Frame,
  values: Values,
  value: Value,
  nameOf: (op: BulkOp, width: ElementWidth) => string,
): void {
  const e = frame.emitter;
  const { op } = value;
  const width = value.detail as number;
  if ((op !== 'bulkCopy' && op !== 'bulkFill') || !isElement(width))
    throw new TypeError(`${op} of ${width} bits is no bulk operation`);
  const wide = (index: number): Expression => {
    const plain = values.emit(arg(value, index));
    return arg(value, index).width === 64 ? plain : e.op('i64.extend_i32_u', plain);
  };
  const args = [wide(0), wide(1), wide(2), values.emit(arg(value, 3))];
  const done = e.call(nameOf(op, width), args, 'i64');
  values.keep(value, frame.native === 'i64' ? done : e.op('i32.wrap_i64', done));
}

const isElement = (width: number): width is ElementWidth => [8, 16, 32, 64].includes(width);
