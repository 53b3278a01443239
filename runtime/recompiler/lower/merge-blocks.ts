/**
 * Blocks that only one other goes to, and that by a jump, become a part of it: copies of small functions (inline-calls.ts) and
 * their callers share checks of the stack then, and flags and addresses are known from one to the other.
 */
import { FlagsOnDemand } from '../../ir/block-flags.ts';
import * as v from '../../ir/build.ts';
import type { Flag } from '../../ir/ops.ts';
import type { Block, SomeFlags, Statement, Terminator, Value } from '../../ir/value.ts';
import type { GuestFunction } from '../discover.ts';
import { isAnchored } from './values.ts';

/** Instructions of one block. */
const mostStatements = 400;

export function mergeBlocks(fn: GuestFunction): GuestFunction {
  const ways = countWays(fn);
  const byAddress = new Map(fn.blocks.map((block) => [block.address, block]));
  const next = (block: Block): Block | undefined => {
    const { terminator } = block;
    const to = terminator.kind === 'jump' ? byAddress.get(terminator.target) : undefined;
    return to !== undefined && ways.get(to.address) === 1 && isPart(fn, to) ? to : undefined;
  };
  const parts = new Set(fn.blocks.flatMap((block) => next(block) ?? []));
  if (parts.size === 0) return fn;
  const blocks: Block[] = [];
  for (const first of fn.blocks) {
    if (parts.has(first)) continue;
    let whole = first;
    for (let part = next(whole); part !== undefined; part = next(whole)) {
      if (whole.statements.length + part.statements.length > mostStatements) {
        blocks.push(whole);
        whole = part;
      } else whole = joined(whole, part);
    }
    blocks.push(whole);
  }
  return { ...fn, blocks };
}

/** A jump table is known by its block; a string instruction stands alone. */
function isPart(fn: GuestFunction, { address, statements }: Block): boolean {
  if (address === fn.entry || fn.tableTargets.has(address) || fn.tables.has(address)) return false;
  return statements.every(({ kind }) => kind !== 'jumpIf' && kind !== 'bulk');
}

function countWays({ blocks }: GuestFunction): ReadonlyMap<bigint, number> {
  const ways = new Map<bigint, number>();
  const count = (to: bigint): void => {
    ways.set(to, (ways.get(to) ?? 0) + 1);
  };
  for (const { statements, terminator } of blocks) {
    waysOf(terminator).forEach(count);
    for (const s of statements) if (s.kind === 'jumpIf') count(s.target);
  }
  return ways;
}

function waysOf(terminator: Terminator): readonly bigint[] {
  switch (terminator.kind) {
    case 'jump':
      return [terminator.target];
    case 'branch':
      return [terminator.taken, terminator.otherwise];
    case 'call':
      return [terminator.continuation ?? terminator.returnTo];
    case 'callIndirect': {
      const { expected = [], returnTo, continuation = returnTo } = terminator;
      return [...expected.map(({ way }) => way), continuation];
    }
    case 'return':
      return terminator.within === undefined ? [] : [terminator.within.continuation];
    case 'leave':
      return [terminator.next];
    case 'jumpIndirect':
      return [];
  }
}

function joined(first: Block, second: Block): Block {
  const rewriting = new Rewriting(first);
  const statements = second.statements.map((statement) => rewriting.statement(statement));
  return {
    address: first.address,
    statements: [...first.statements, ...statements],
    terminator: rewriting.terminator(second.terminator),
    flagsOut: new FlagsOnDemand((flag) => {
      const value = second.flagsOut[flag];
      return value === undefined ? first.flagsOut[flag] : rewriting.value(value);
    }),
  };
}

/** What a block says, in terms of what was there when the block before it began. */
class Rewriting {
  readonly #registers = new Map<number, Value>();
  readonly #flags: SomeFlags;
  readonly #known = new Map<Value, Value>();

  constructor({ statements, flagsOut }: Block) {
    for (const s of statements)
      if (s.kind === 'setRegister') this.#registers.set(s.register, s.value);
    this.#flags = flagsOut;
  }

  value(value: Value): Value {
    if (value.op === 'register') return this.#registers.get(value.detail as number) ?? value;
    if (value.op === 'flag') return this.#flags[value.detail as Flag] ?? value;
    if (value.args.length === 0 && !isAnchored(value)) return value;
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const rewritten = this.#rewritten(value);
    this.#known.set(value, rewritten);
    return rewritten;
  }

  /** A load is another one in each copy of a block. */
  #rewritten(value: Value): Value {
    const { op, width, detail } = value;
    const args = value.args.map((arg) => this.value(arg));
    const isSame = args.every((arg, i) => arg === value.args[i]);
    return isSame && !isAnchored(value) ? value : v.node(op, width, args, detail);
  }

  statement(s: Statement): Statement {
    switch (s.kind) {
      case 'instruction':
        return s;
      case 'setRegister':
      case 'load':
      case 'bulk':
      case 'loadCpu':
        return { ...s, value: this.value(s.value) };
      case 'store':
        return { ...s, address: this.value(s.address), value: this.value(s.value) };
      case 'storeCpu':
        return { ...s, offset: this.value(s.offset), value: this.value(s.value) };
      case 'setFlags':
        return {
          ...s,
          inputs: s.inputs.map((input) => this.value(input)),
          when: s.when && this.value(s.when),
        };
      case 'raiseIf':
      case 'jumpIf':
        return { ...s, condition: this.value(s.condition) };
    }
  }

  terminator(t: Terminator): Terminator {
    switch (t.kind) {
      case 'branch':
        return { ...t, condition: this.value(t.condition) };
      case 'jumpIndirect':
      case 'callIndirect':
      case 'return':
        return { ...t, target: this.value(t.target) };
      default:
        return t;
    }
  }
}
