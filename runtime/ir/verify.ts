/** Checks a block against the shapes of ops.ts: widths of arguments, order of loads and their uses, details. For tests. */
import { at } from './evaluate-rule.ts';
import { flagNames, type Op, ops, type Shape, type Width } from './ops.ts';
import type { Block, Statement, Subroutine, Terminator, Value } from './value.ts';

type Check = (node: Value, args: readonly Width[]) => boolean;

const same = (widths: readonly Width[], width: Width, count: number): boolean =>
  widths.length === count && widths.every((each) => each === width);

const fits = ({ detail }: Value, part: Width): boolean =>
  typeof detail === 'number' && detail % part === 0 && detail + part <= 128;

const shapes: Readonly<Record<Shape, Check>> = {
  leaf: (_, args) => args.length === 0,
  load: (_, args) => args.length === 1 && (args[0] === 32 || args[0] === 64),
  unary: ({ width }, args) => same(args, width, 1),
  binary: ({ width }, args) => same(args, width, 2),
  ternary: ({ width }, args) => same(args, width, 3),
  shift: ({ width }, args) => args.length === 2 && args[0] === width && args[1] === 8,
  compare: ({ width }, args) => width === 1 && args.length === 2 && args[0] === args[1],
  test: ({ width }, args) => width === 1 && args.length === 1,
  select: ({ width }, [condition, ...arms]) => condition === 1 && same(arms, width, 2),
  resize: (_, args) => args.length === 1,
  pack: ({ width }, args) => width === 128 && same(args, 64, 2),
  insert: (node, [whole, part]) =>
    node.width === 128 && whole === 128 && part !== undefined && fits(node, part),
  bulk: ({ width }, args) =>
    args.length === 4 && args[0] === width && args[2] === width && args[3] === 8,
  call: ({ width, detail }, args) => {
    const { parameters, result } = detail as Subroutine;
    return (
      width === result &&
      args.length === parameters.length &&
      parameters.every((parameter, i) => args[i] === parameter)
    );
  },
};

/** What a shape does not tell. */
const further: Readonly<Partial<Record<Op, Check>>> = {
  zeroExtend: ({ width }, [from = 128]) => from < width,
  signExtend: ({ width }, [from = 128]) => from < width,
  truncate: ({ width }, [from = 1]) => from > width,
  slice: (node, [from]) => from === 128 && fits(node, node.width),
  shuffle: ({ detail }) =>
    Array.isArray(detail) &&
    detail.length === 16 &&
    detail.every((index) => Number.isInteger(index) && index >= 0 && index < 32),
  loadCpu: (_, args) => args[0] === 32,
};

export const describe = ({ op, width, args }: Value): string =>
  `${op} of ${width} bits with arguments of ${args.map((arg) => arg.width).join(', ') || 'none'}`;

function fail(value: Value, fact: string): never {
  throw new TypeError(`${describe(value)} ${fact}`);
}

/** What has a statement of its own, before which it has no value. */
const anchored: ReadonlySet<Op> = new Set(['load', 'loadCpu', 'bulkCopy', 'bulkFill']);

class Verifier {
  readonly #mode: 64 | 32;
  readonly #checked = new Set<Value>();
  readonly #loaded = new Set<Value>();

  constructor(mode: 64 | 32) {
    this.#mode = mode;
  }

  value(node: Value, width: Width = node.width): void {
    if (node.width !== width) fail(node, `stands where ${width} bits are wanted`);
    if (this.#checked.has(node)) return;
    if (anchored.has(node.op) && !this.#loaded.has(node))
      fail(node, 'is used before its statement');
    if (node.op === 'input') fail(node, 'stands outside of a subroutine');
    this.#shape(node);
    this.#checked.add(node);
  }

  #shape(node: Value): void {
    for (const arg of node.args) this.value(arg);
    const widths = node.args.map((arg) => arg.width);
    if (!shapes[ops[node.op]](node, widths) || further[node.op]?.(node, widths) === false)
      fail(node, `has not the shape ${ops[node.op]}`);
  }

  #load(node: Value, addressWidth: Width): void {
    this.value(at(node.args, 0), addressWidth);
    this.#loaded.add(node);
    this.value(node);
  }

  statement(statement: Statement): void {
    switch (statement.kind) {
      case 'instruction':
        return;
      case 'setRegister':
        this.value(statement.value, statement.value.width === 128 ? 128 : this.#mode);
        return;
      case 'load':
      case 'bulk':
        this.#load(statement.value, this.#mode);
        return;
      case 'loadCpu':
        this.#load(statement.value, 32);
        return;
      case 'store':
        this.value(statement.address, this.#mode);
        if (statement.value.width === 1) fail(statement.value, 'is stored');
        this.value(statement.value);
        return;
      case 'storeCpu':
        this.value(statement.offset, 32);
        this.value(statement.value);
        return;
      case 'setFlags':
        this.#flags(statement);
        return;
      case 'raiseIf':
      case 'jumpIf':
        this.value(statement.condition, 1);
    }
  }

  #flags({ rule, inputs, when }: Extract<Statement, { kind: 'setFlags' }>): void {
    if (inputs.length > 3) throw new TypeError(`flag rule ${rule.name} has more than 3 inputs`);
    for (const value of inputs) {
      if (value.width > 64) fail(value, `is too wide for flag rule ${rule.name}`);
      this.value(value);
    }
    if (when !== undefined) this.value(when, 1);
    for (const flag of Object.values(rule.flags(...inputs))) this.value(flag, 1);
  }

  terminator(terminator: Terminator): void {
    if (terminator.kind === 'branch') this.value(terminator.condition, 1);
    if ('target' in terminator && typeof terminator.target === 'object')
      this.value(terminator.target, this.#mode);
  }
}

/** Throws TypeError where a block is not well made. */
export function verifyBlock(block: Block, mode: 64 | 32): void {
  const verifier = new Verifier(mode);
  for (const statement of block.statements) verifier.statement(statement);
  verifier.terminator(block.terminator);
  for (const flag of flagNames) {
    const value = block.flagsOut[flag];
    if (value !== undefined) verifier.value(value, 1);
  }
}
