/**
 * Where the arithmetic flags are in a block: in the state block, or, for who leaves, still to be made from what registers
 * hold. After `cmp` or `add` they are a function of registers for a while, so nothing has to be kept for an exit; what of it no
 * register holds any more is held in a local.
 */
import * as v from '../../ir/build.ts';
import type { Width } from '../../ir/ops.ts';
import type { Block, FlagRule, Statement, Value } from '../../ir/value.ts';

/** An input that is in a local of the function's: each place among a rule's inputs has one for each type. */
export interface HeldInput {
  readonly op: 'held';
  readonly place: number;
  readonly width: Width;
}

export type FlagInput = Value | HeldInput;

/** A rule and its inputs, in terms of what registers hold at the moment; loads of the block stand for themselves. */
export interface FlagSource {
  readonly rule: FlagRule;
  readonly inputs: readonly FlagInput[];
}

/** Undefined: in the state block. */
export type FlagsAt = FlagSource | undefined;

/** What a block does with flags, by statement. */
export interface BlockFlags {
  /** Statements that set flags and store them; others store nothing. */
  readonly stored: ReadonlySet<number>;
  /** Places of inputs that are put into their locals, by the statement that sets the flags, or `atStart`. */
  readonly held: ReadonlyMap<number, readonly number[]>;
  /** Behind these statements flags are elsewhere than before. */
  readonly changes: ReadonlyMap<number, FlagsAt>;
  /** Without loads. */
  readonly end: FlagsAt;
}

/** In place of a statement: the block's start. */
export const atStart = -1;

type SetFlags = Extract<Statement, { kind: 'setFlags' }>;

/** Whether a statement of a block, by its place, may leave, and so show flags. */
export type Looks = (statement: Statement, at: number) => boolean;

/** Whether somebody may see the flags that are there at the start of each statement, and last at the block's end. */
export function visibility({ statements }: Block, atEnd: boolean, looks: Looks): boolean[] {
  const visible: boolean[] = [];
  visible[statements.length] = atEnd;
  let seen = atEnd;
  for (let i = statements.length - 1; i >= 0; i--) {
    const s = statements[i];
    if (s?.kind === 'setFlags') seen &&= s.when !== undefined;
    else if (s !== undefined) seen ||= looks(s, i);
    visible[i] = seen;
  }
  return visible;
}

/** Whether somebody sees in a block the flags that are there at its start; undefined: who sees those at its end. */
export function seesStart({ statements }: Block, looks: Looks): boolean | undefined {
  for (const [i, s] of statements.entries())
    if (s.kind === 'setFlags') {
      if (s.when === undefined) return false;
    } else if (looks(s, i)) return true;
  return undefined;
}

/** Of a block in which nobody sees flags that it sets, and that begins with them in the state block. */
export const noFlags: BlockFlags = {
  stored: new Set(),
  held: new Map(),
  changes: new Map(),
  end: undefined,
};

/**
 * Undefined where what is there at the block's start has to be in the state block. `holds`: whether inputs may be held in
 * locals; else flags are stored that registers do not hold.
 */
export function flagsOfBlock(
  { statements }: Block,
  start: FlagsAt,
  visible: readonly boolean[],
  holds: boolean,
): BlockFlags | undefined {
  const tracking = new Tracking(start, holds);
  for (const [i, s] of statements.entries()) {
    const isSeen = visible[i + 1] === true;
    if (s.kind === 'setFlags') tracking.flags(i, s, isSeen);
    else if (s.kind === 'setRegister') tracking.register(i, s.register, s.value, isSeen);
    if (tracking.hasFailed) return undefined;
  }
  return tracking.result(visible[statements.length] === true);
}

interface Origin {
  readonly at: number;
  readonly rule: FlagRule;
  readonly inputs: FlagInput[];
}

class Tracking {
  /** What was there at the start cannot be made any more. */
  hasFailed = false;
  readonly #holds: boolean;
  readonly #stored = new Set<number>();
  readonly #held = new Map<number, number[]>();
  readonly #changes = new Map<number, FlagsAt>();
  readonly #registers = new Holdings();
  /** The statement that set the flags that are there, and what it said; undefined where they are in the state block. */
  #set: Origin | undefined;
  #now: FlagsAt;
  #leaves: ReadonlySet<number> = new Set();

  constructor(start: FlagsAt, holds: boolean) {
    this.#holds = holds;
    if (start === undefined) return;
    this.#set = { at: atStart, rule: start.rule, inputs: [...start.inputs] };
    this.#put(start);
  }

  flags(at: number, { rule, inputs, when }: SetFlags, isSeen: boolean): void {
    if (!isSeen) {
      if (when === undefined) this.#forget(at);
      return;
    }
    if (when !== undefined) {
      this.#store();
      this.#stored.add(at);
      return;
    }
    this.#set = { at, rule, inputs: [...inputs] };
    this.#find(at);
  }

  register(at: number, register: number, value: Value, isSeen: boolean): void {
    this.#registers.set(register, value);
    if (!this.#leaves.has(register)) return;
    if (isSeen) this.#find(at);
    else this.#forget(at);
  }

  result(isSeenAtEnd: boolean): BlockFlags {
    const end = isSeenAtEnd ? this.#withoutLoads() : undefined;
    return { stored: this.#stored, held: this.#held, changes: this.#changes, end };
  }

  /** Nobody looks at what is there. */
  #forget(at: number): void {
    if (this.#now !== undefined) this.#changes.set(at, undefined);
    this.#set = undefined;
    this.#put(undefined);
  }

  #find(at: number): void {
    const set = this.#set;
    if (set === undefined) return;
    const found = set.inputs.map((input) => this.#registers.find(input));
    if (!this.#holds && found.includes(undefined)) {
      this.#store();
      return;
    }
    const inputs = set.inputs.map((input, i) => found[i] ?? this.#hold(set, i, input));
    this.#put({ rule: set.rule, inputs });
    this.#changes.set(at, this.#now);
  }

  /** Puts an input into its local where the flags are set. */
  #hold(set: Origin, place: number, { width }: FlagInput): HeldInput {
    const held = { op: 'held', place, width } as const;
    set.inputs[place] = held;
    this.#held.set(set.at, [...(this.#held.get(set.at) ?? []), place]);
    return held;
  }

  /** What is there, for other blocks. */
  #withoutLoads(): FlagsAt {
    const [set, now] = [this.#set, this.#now];
    if (set === undefined || now === undefined) return undefined;
    if (!this.#holds && loadsOf(now).length > 0) return undefined;
    const inputs = now.inputs.map((input, place) =>
      hasLoad(input) ? this.#hold(set, place, input) : input,
    );
    return { rule: now.rule, inputs };
  }

  /** What is there was stored when it was set. */
  #store(): void {
    const set = this.#set;
    if (set === undefined) return;
    if (set.at === atStart) this.hasFailed = true;
    else this.#stored.add(set.at);
    this.#held.delete(set.at);
    for (const at of [...this.#changes.keys()]) if (at > set.at) this.#changes.delete(at);
    this.#changes.set(set.at, undefined);
    this.#set = undefined;
    this.#put(undefined);
  }

  #put(source: FlagsAt): void {
    this.#now = source;
    const leaves = new Set<number>();
    for (const input of source?.inputs ?? []) registersOf(input, leaves);
    this.#leaves = leaves;
  }
}

/** Whether both are made of the same; never by looking into loads, whose addresses share so much that as trees they have no end. */
export function areSame(one: FlagsAt, other: FlagsAt): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.rule === other.rule && areAllSame(one.inputs, other.inputs);
}

function isSame(one: FlagInput, other: FlagInput): boolean {
  if (one === other) return true;
  if (one.op === 'held') return isHeldAs(one, other);
  if (other.op === 'held') return false;
  return (
    !isLoad(one) &&
    one.op === other.op &&
    one.width === other.width &&
    one.detail === other.detail &&
    areAllSame(one.args, other.args)
  );
}

const isHeldAs = ({ place, width }: HeldInput, other: FlagInput): boolean =>
  other.op === 'held' && other.place === place && other.width === width;

const areAllSame = (some: readonly FlagInput[], others: readonly FlagInput[]): boolean =>
  some.length === others.length &&
  some.every((value, i) => {
    const other = others[i];
    return other !== undefined && isSame(value, other);
  });

function registersOf(value: FlagInput, into: Set<number>): void {
  if (value.op === 'held') return;
  if (value.op === 'register') into.add(value.detail as number);
  else if (!isLoad(value)) for (const arg of value.args) registersOf(arg, into);
}

export const isLoad = ({ op }: Value): boolean => op === 'load' || op === 'loadCpu';

/** The loads of a source, each of which is kept as long as the source is there. */
export const loadsOf = (source: FlagsAt): readonly Value[] => source?.inputs.flatMap(loadsIn) ?? [];

function loadsIn(input: FlagInput): readonly Value[] {
  if (input.op === 'held') return [];
  return isLoad(input) ? [input] : input.args.flatMap(loadsIn);
}

const hasLoad = (input: FlagInput): boolean => loadsIn(input).length > 0;

/** Cheap, and written without a statement. */
const plainOps: ReadonlySet<string> = new Set([
  ...['truncate', 'zeroExtend', 'signExtend', 'add', 'sub', 'and', 'or', 'xor', 'not'],
  ...['shiftLeft', 'shiftRight'],
]);
const deepest = 4;

/** What registers hold in the middle of a block. */
class Holdings {
  readonly #held = new Map<number, Value>();

  set(register: number, value: Value): void {
    this.#held.set(register, value);
  }

  /** An input by what registers hold now. */
  find(input: FlagInput): FlagInput | undefined {
    return input.op === 'held' ? input : this.#found(input, deepest);
  }

  /** The same of a value of the block. */
  #found(value: Value, depth: number): Value | undefined {
    if (value.width === 128) return undefined;
    if (v.constantOf(value) !== undefined || isLoad(value)) return value;
    if (this.#isUnset(value)) return value;
    return this.#heldAs(value) ?? this.#undoneTo(value, depth) ?? this.#remade(value, depth);
  }

  /** A register, or the lower part of one, that is what it was at the start. */
  #isUnset({ op, args, detail }: Value): boolean {
    const [whole] = args;
    if (op === 'truncate' && whole !== undefined) return this.#isUnset(whole);
    return op === 'register' && !this.#held.has(detail as number);
  }

  #remade(value: Value, depth: number): Value | undefined {
    if (depth === 0 || !plainOps.has(value.op)) return undefined;
    const args = value.args.flatMap((arg) => this.#found(arg, depth - 1) ?? []);
    if (args.length < value.args.length) return undefined;
    return v.node(value.op, value.width, args, value.detail);
  }

  /** What a register was set to, or the lower part of that. */
  #heldAs(value: Value): Value | undefined {
    for (const [register, held] of this.#held) {
      if (held === value) return v.registerValue(register, held.width);
      if (held.width !== 128 && partOf(held) === value)
        return v.resize(v.registerValue(register, held.width), value.width);
    }
    return undefined;
  }

  #undoneTo(value: Value, depth: number): Value | undefined {
    for (const [register, held] of this.#held) {
      const found = held.width === 128 ? undefined : this.#within(register, held, value, depth);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The value as an operand of what a register was set to. */
  #within(register: number, held: Value, value: Value, depth: number): Value | undefined {
    const part = partOf(held);
    const x = part.args[0];
    const y = part.args[1];
    if (depth === 0 || x === undefined || y === undefined || part.width !== value.width)
      return undefined;
    const other = x === value ? y : y === value ? x : undefined;
    if (other === undefined) return undefined;
    const by = this.#found(other, depth - 1);
    const whole = v.registerValue(register, held.width);
    return by && undone(part.op, v.resize(whole, part.width), by, other === y);
  }
}

/** What a register of which it is the lower part is set to. */
const partOf = (held: Value): Value =>
  held.op === 'zeroExtend' && held.args[0] !== undefined ? held.args[0] : held;

/** The operand of an operation of which the result and the other operand are known. */
function undone(op: string, result: Value, other: Value, isLeft: boolean): Value | undefined {
  switch (op) {
    case 'add':
      return v.sub(result, other);
    case 'sub':
      return isLeft ? v.add(result, other) : v.sub(other, result);
    case 'xor':
      return v.xor(result, other);
    default:
      return undefined;
  }
}
