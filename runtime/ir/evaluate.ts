/**
 * What each op means, in BigInt: slow, obvious, the reference that recompiled code is compared with.
 * Every value is evaluated once an execution, at the first statement that needs it; both arms of a select are.
 */
import { CpuException } from '../errors.ts';
import { input } from './build.ts';
import { floatRules } from './evaluate-float.ts';
import { integerRules } from './evaluate-integer.ts';
import { at, type FloatControl, type Frame, type Rule } from './evaluate-rule.ts';
import { vectorRules } from './evaluate-vector.ts';
import { type Flag, flagNames, type Op } from './ops.ts';
import type { Block, FlagRule, LeaveReason, Statement, Subroutine, Value } from './value.ts';

/** What a block runs on. */
export interface EvaluationState {
  register(n: number): bigint;
  setRegister(n: number, value: bigint): void;
  flag(flag: Flag): boolean;
  /** `undefined`: the manual leaves it undefined. */
  setFlag(flag: Flag, value: boolean | undefined): void;
  /** Loads and stores throw CpuException where the guest faults. */
  load(address: bigint, bytes: number, forWrite: boolean): bigint;
  store(address: bigint, bytes: number, value: bigint): void;
  loadCpu(offset: number, bytes: number): bigint;
  storeCpu(offset: number, bytes: number, value: bigint): void;
  /** Where the state block keeps MXCSR. */
  readonly mxcsrOffset: number;
}

/** Where the block went. */
export type Outcome =
  | { readonly kind: 'jump'; readonly target: bigint }
  | {
      readonly kind: 'leave';
      readonly reason: LeaveReason;
      readonly operand: number;
      readonly next: bigint;
    };

const entryValue: Rule = (node, _, frame) => frame.leaf(node);
const byStatement: Rule = (node) => {
  throw new TypeError(`a ${node.op} of ${node.width} bits is used before its statement`);
};

const rules: Readonly<Record<Op, Rule>> = {
  ...integerRules,
  ...vectorRules,
  ...floatRules,
  constant: ({ detail }) => detail as bigint,
  undefined: () => 0n,
  input: ({ detail }, _, frame) => at(frame.inputs, detail as number),
  register: entryValue,
  flag: entryValue,
  load: byStatement,
  bulkCopy: byStatement,
  bulkFill: byStatement,
  loadCpu: byStatement,
  call: ({ detail }, args, frame) => frame.call(detail as Subroutine, args),
};

const mask = (value: bigint, width: number): bigint => BigInt.asUintN(width, value);

/** One execution: the values known so far. */
class Evaluation implements Frame {
  readonly inputs: readonly bigint[];
  readonly float: FloatControl;
  readonly #known = new Map<Value, bigint>();
  readonly #leaf: (node: Value) => bigint;

  constructor(
    inputs: readonly bigint[],
    float: FloatControl,
    leaf: (node: Value) => bigint = byLeaf,
  ) {
    this.inputs = inputs;
    this.float = float;
    this.#leaf = leaf;
  }

  leaf(node: Value): bigint {
    return this.#leaf(node);
  }

  set(node: Value, value: bigint): void {
    this.#known.set(node, mask(value, node.width));
  }

  value(node: Value): bigint {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    const args = node.args.map((arg) => this.value(arg));
    const value = mask(rules[node.op](node, args, this), node.width);
    this.#known.set(node, value);
    return value;
  }

  call(subroutine: Subroutine, args: readonly bigint[]): bigint {
    const inputs = subroutine.parameters.map((width, i) => input(i, width));
    return new Evaluation(args, this.float).value(subroutine.body(inputs));
  }

  /** Undefined where the manual leaves it so; such a flag stands alone or is chosen by selects. */
  flag(node: Value): boolean | undefined {
    if (node.op === 'undefined') return undefined;
    if (node.op === 'select') {
      const chosen = this.value(at(node.args, 0)) === 1n ? 1 : 2;
      return this.flag(at(node.args, chosen));
    }
    return this.value(node) === 1n;
  }
}

const byLeaf = (node: Value): bigint => {
  throw new TypeError(`${node.op} ${String(node.detail)} stands outside of a block`);
};

const noFloat: FloatControl = {
  get mxcsr(): number {
    throw new TypeError('a flag rule computes with floats; pass it their comparison instead');
  },
  note: () => undefined,
};

/** The flags that a rule sets; the host makes lazy flags real with it. Inputs are zero-extended. */
export function evaluateFlagRule(
  rule: FlagRule,
  inputs: readonly { readonly width: Value['width']; readonly value: bigint }[],
): Partial<Record<Flag, boolean | undefined>> {
  const evaluation = new Evaluation(
    inputs.map(({ value, width }) => mask(value, width)),
    noFloat,
  );
  const flags = rule.flags(...inputs.map(({ width }, i) => input(i, width)));
  const result: Partial<Record<Flag, boolean | undefined>> = {};
  for (const name of flagNames) {
    const value = flags[name];
    if (value !== undefined) result[name] = evaluation.flag(value);
  }
  return result;
}

/**
 * Runs a block. Throws CpuException for what the block raises and for faults of memory; the state then is as it was
 * before the faulting instruction, but for the exception flags that MXCSR has gathered.
 */
export function evaluateBlock(block: Block, state: EvaluationState): Outcome {
  const execution = new Execution(state);
  for (const statement of block.statements) {
    const target = execution.run(statement);
    if (target !== undefined) return { kind: 'jump', target };
  }
  const outcome = execution.end(block);
  execution.markUndefinedFlags(block);
  return outcome;
}

class Execution {
  readonly #state: EvaluationState;
  readonly #evaluation: Evaluation;
  /** Values at the block's entry of what the block has changed since. */
  readonly #entry = new Map<number | Flag, bigint>();
  /** Float exceptions of the statement at hand. */
  readonly #noted = { before: 0, after: 0 };
  #address = 0n;

  constructor(state: EvaluationState) {
    this.#state = state;
    const noted = this.#noted;
    const float: FloatControl = {
      get mxcsr(): number {
        return Number(state.loadCpu(state.mxcsrOffset, 4));
      },
      note: (before, after) => {
        noted.before |= before;
        noted.after |= after;
      },
    };
    this.#evaluation = new Evaluation([], float, (node) => this.#entryValue(node));
  }

  get #place(): string {
    return `0x${this.#address.toString(16)}`;
  }

  #entryValue(node: Value): bigint {
    if (node.op === 'register') {
      const number = node.detail as number;
      return this.#entry.get(number) ?? this.#state.register(number);
    }
    const flag = node.detail as Flag;
    return this.#entry.get(flag) ?? BigInt(this.#state.flag(flag));
  }

  /** Evaluates, and takes the float exceptions met, so that what follows has not happened if one is unmasked. */
  #value(node: Value): bigint {
    const value = this.#evaluation.value(node);
    this.#takeFloatExceptions();
    return value;
  }

  /** No flag of a result is set where an operand of any lane raises an unmasked exception: nothing is computed then. */
  #takeFloatExceptions(): void {
    const { before, after } = this.#noted;
    if ((before | after) === 0) return;
    this.#noted.before = 0;
    this.#noted.after = 0;
    const { mxcsrOffset } = this.#state;
    const mxcsr = Number(this.#state.loadCpu(mxcsrOffset, 4));
    const unmasked = ~(mxcsr >> 7) & 0x3f;
    const flags = before & unmasked ? before : before | after;
    this.#state.storeCpu(mxcsrOffset, 4, BigInt(mxcsr | flags));
    if (flags & unmasked)
      throw new CpuException(19, `unmasked SIMD floating-point exception at ${this.#place}`);
  }

  /** The address to go on at, where the statement leaves the block. */
  run(statement: Statement): bigint | undefined {
    const state = this.#state;
    switch (statement.kind) {
      case 'instruction':
        this.#address = statement.address;
        return undefined;
      case 'setRegister':
        this.#setRegister(statement.register, this.#value(statement.value));
        return undefined;
      case 'load': {
        const address = this.#value(at(statement.value.args, 0));
        const { width, detail } = statement.value;
        this.#evaluation.set(statement.value, state.load(address, width / 8, detail === 1));
        return undefined;
      }
      case 'bulk':
        // None at once: the loop around does one element after the other.
        this.#evaluation.set(statement.value, 0n);
        return undefined;
      case 'store': {
        const address = this.#value(statement.address);
        const { width } = statement.value;
        state.store(address, width / 8, this.#value(statement.value));
        return undefined;
      }
      case 'loadCpu': {
        const offset = Number(this.#value(at(statement.value.args, 0)));
        this.#evaluation.set(statement.value, state.loadCpu(offset, bytesOf(statement.value)));
        return undefined;
      }
      case 'storeCpu': {
        const offset = Number(this.#value(statement.offset));
        const value = this.#value(statement.value);
        state.storeCpu(offset, bytesOf(statement.value), value);
        return undefined;
      }
      case 'setFlags':
        this.#setFlags(statement);
        return undefined;
      case 'raiseIf':
        if (statement.vector !== undefined && this.#value(statement.condition) === 1n)
          throw new CpuException(
            statement.vector,
            `exception ${statement.vector} at ${this.#place}`,
            statement.errorCode,
          );
        return undefined;
      case 'jumpIf':
        return this.#value(statement.condition) === 1n ? statement.target : undefined;
    }
  }

  #setRegister(register: number, value: bigint): void {
    if (!this.#entry.has(register)) this.#entry.set(register, this.#state.register(register));
    this.#state.setRegister(register, value);
  }

  #setFlags({ rule, inputs, when }: Extract<Statement, { kind: 'setFlags' }>): void {
    for (const name of flagNames)
      if (!this.#entry.has(name)) this.#entry.set(name, BigInt(this.#state.flag(name)));
    for (const value of inputs) this.#evaluation.value(value);
    this.#takeFloatExceptions();
    if (when !== undefined && this.#value(when) === 0n) return;
    const flags = rule.flags(...inputs);
    for (const name of flagNames) {
      const value = flags[name];
      if (value !== undefined) this.#state.setFlag(name, this.#evaluation.flag(value));
    }
  }

  /** Packing flags for a partial rule reads undefined ones as 0; the block still knows which they are. */
  markUndefinedFlags(block: Block): void {
    for (const name of flagNames) {
      const value = block.flagsOut[name];
      if (value !== undefined && this.#evaluation.flag(value) === undefined)
        this.#state.setFlag(name, undefined);
    }
  }

  end({ terminator }: Block): Outcome {
    switch (terminator.kind) {
      case 'jump':
      case 'call':
        return { kind: 'jump', target: terminator.target };
      case 'branch': {
        const taken = this.#value(terminator.condition) === 1n;
        return { kind: 'jump', target: taken ? terminator.taken : terminator.otherwise };
      }
      case 'jumpIndirect':
      case 'callIndirect':
      case 'return':
        return { kind: 'jump', target: this.#value(terminator.target) };
      case 'leave':
        return terminator;
    }
  }
}

/** A truth value takes a byte. */
const bytesOf = ({ width }: Value): number => (width === 1 ? 1 : width / 8);
