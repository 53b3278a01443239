/** Builds one block: what semantics read and write, in order. Values already written in the block are forwarded. */

import { type FlagSetting, Flags, flagOf, flagsOut } from './block-flags.ts';
import * as v from './build.ts';
import type { MemoryOperand, Operand } from './operand.ts';
import { type Flag, flagNames, type Width } from './ops.ts';
import type {
  Block,
  Condition,
  FlagRule,
  SomeFlags,
  Statement,
  Terminator,
  Value,
} from './value.ts';

/** A rule whose only input is the six flags, packed as in EFLAGS. */
export const packedFlags: FlagRule = {
  name: 'packed',
  flags: (packed) => ({
    CF: v.bit(packed as Value, 0),
    PF: v.bit(packed as Value, 2),
    AF: v.bit(packed as Value, 4),
    ZF: v.bit(packed as Value, 6),
    SF: v.bit(packed as Value, 7),
    OF: v.bit(packed as Value, 11),
  }),
};

/** Bit of each flag in EFLAGS (SDM vol. 1, figure 3-8). */
export const flagBits = { CF: 0, PF: 2, AF: 4, ZF: 6, SF: 7, OF: 11 } as const;

export class Builder {
  /** Width of addresses and of general registers. */
  readonly mode: 64 | 32;
  readonly #widthOf: (register: number) => Width;
  #address = 0n;
  #statements: Statement[] = [];
  #registers: (Value | undefined)[] = [];
  #flags: Flags | undefined;
  #terminator: Terminator | undefined;
  /** Whether a vector register has been read or written in any block so far. */
  usesVectors = false;
  /** Whether instructions that CR0.TS holds off look at it (x86/task-switched.ts). */
  checksTaskSwitched = false;

  constructor(mode: 64 | 32, vectorsFrom: number) {
    this.mode = mode;
    this.#widthOf = (register) => {
      if (register < vectorsFrom) return mode;
      this.usesVectors = true;
      return 128;
    };
  }

  begin(address: bigint): void {
    this.#address = address;
    this.#statements = [];
    this.#registers = [];
    this.#flags = undefined;
    this.#terminator = undefined;
  }

  /** Marks the border between instructions: faults of what follows name this address. */
  instruction(address: bigint, length: number): void {
    this.#statements.push({ kind: 'instruction', address, length });
  }

  get ended(): boolean {
    return this.#terminator !== undefined;
  }

  /** The block; `next` is where it falls through to if nothing ended it. */
  finish(next: bigint): Block {
    return {
      address: this.#address,
      statements: this.#statements,
      terminator: this.#terminator ?? { kind: 'jump', target: next },
      flagsOut: flagsOut(this.#flags),
    };
  }

  /** How many statements there are. */
  get position(): number {
    return this.#statements.length;
  }

  /** What `write` writes comes before the first statement from `start` on that `isLate`; it is told them. */
  before(
    start: number,
    isLate: (statement: Statement) => boolean,
    write: (late: readonly Statement[]) => void,
  ): void {
    const from = this.#statements.findIndex((statement, i) => i >= start && isLate(statement));
    const late = from < 0 ? [] : this.#statements.splice(from);
    write(late);
    this.#statements.push(...late);
  }

  // Registers.

  register(register: number): Value {
    const known = this.#registers[register];
    if (known !== undefined) return known;
    const value = v.registerValue(register, this.#widthOf(register));
    this.#registers[register] = value;
    return value;
  }

  /** `value` has the register's whole width. */
  setRegister(register: number, value: Value): void {
    this.#registers[register] = value;
    if (value.width === 128) this.usesVectors = true;
    this.#statements.push({ kind: 'setRegister', register, value });
  }

  // Operands.

  /** The linear address of a memory operand: segment base and effective address (SDM vol. 1, 3.7.5). */
  address(operand: MemoryOperand): Value {
    const effective = this.effectiveAddress(operand);
    return operand.segmentBase === undefined
      ? effective
      : v.add(effective, this.loadCpu(operand.segmentBase, this.mode));
  }

  /** What LEA computes, in the mode's width. */
  effectiveAddress(operand: MemoryOperand): Value {
    const { base, index, scale, displacement, addressWidth } = operand;
    let sum: Value | undefined = base === undefined ? undefined : this.register(base);
    if (index !== undefined) {
      const scaled = v.shiftLeft(this.register(index), 31 - Math.clz32(scale));
      sum = sum === undefined ? scaled : v.add(sum, scaled);
    }
    const total =
      sum !== undefined && displacement === 0n
        ? sum
        : v.add(sum ?? v.constant(this.mode, 0), v.constant(this.mode, displacement));
    return addressWidth < this.mode
      ? v.resize(v.resize(total, addressWidth as Width), this.mode)
      : total;
  }

  read(operand: Operand): Value {
    switch (operand.kind) {
      case 'register':
        return this.#readPart(operand.register, operand.offset, operand.width);
      case 'memory':
        return this.load(this.address(operand), operand.width);
      case 'immediate':
        return v.constant(operand.width, operand.value);
      case 'special':
        throw new TypeError(`${operand.file} ${operand.index} is not read as a plain operand`);
    }
  }

  /** A 32-bit general register write clears the upper half; narrower ones keep the rest (SDM vol. 1, 3.4.1.1). */
  write(operand: Operand, value: Value): void {
    if (operand.kind === 'memory') {
      this.store(this.address(operand), value);
    } else if (operand.kind === 'register') {
      this.setRegister(
        operand.register,
        this.#merged(operand.register, operand.offset, operand.width, value),
      );
    } else {
      throw new TypeError(`an operand of kind ${operand.kind} cannot be written`);
    }
  }

  #readPart(register: number, offset: number, width: Width): Value {
    const whole = this.register(register);
    if (whole.width === 128) return width === 128 ? whole : v.slice(whole, 0, width);
    return v.resize(v.shiftRight(whole, offset), width);
  }

  #merged(register: number, offset: number, width: Width, value: Value): Value {
    const whole = this.#widthOf(register);
    if (width === whole) return value;
    if (whole === 128) return v.insert(this.register(register), 0, value);
    if (width === 32) return v.resize(value, whole);
    const keep = v.constant(whole, v.mask(whole) ^ (v.mask(width) << BigInt(offset)));
    return v.or(v.and(this.register(register), keep), v.shiftLeft(v.resize(value, whole), offset));
  }

  // Memory.

  /** `forWrite`: the instruction writes the place afterwards, and a fault of the load says so. */
  load(address: Value, width: Width, forWrite = false): Value {
    const value = v.node('load', width, [address], forWrite ? 1 : undefined);
    this.#statements.push({ kind: 'load', value });
    return value;
  }

  store(address: Value, value: Value): void {
    this.#statements.push({ kind: 'store', address, value });
  }

  /** Does what can be done at once of `most` elements of a repeated string instruction; how many that were. */
  bulk(
    op: 'bulkCopy' | 'bulkFill',
    width: Width,
    ...args: [to: Value, from: Value, most: Value, downwards: Value]
  ): Value {
    const value = v.node(op, args[0].width, args, width);
    this.#statements.push({ kind: 'bulk', value });
    return value;
  }

  loadCpu(offset: number | Value, width: Width): Value {
    const at = typeof offset === 'number' ? v.constant(32, offset) : offset;
    const value = v.node('loadCpu', width, [at]);
    this.#statements.push({ kind: 'loadCpu', value });
    return value;
  }

  storeCpu(offset: number | Value, value: Value): void {
    const at = typeof offset === 'number' ? v.constant(32, offset) : offset;
    this.#statements.push({ kind: 'storeCpu', offset: at, value });
  }

  // Flags.

  flag(flag: Flag): Value {
    return flagOf(this.#flags, flag);
  }

  /** The flags as EFLAGS holds them, 32 bits, all others 0. */
  packedFlags(): Value {
    return this.#pack({});
  }

  setPackedFlags(eflags: Value): void {
    this.setFlags(packedFlags, eflags);
  }

  setFlags(rule: FlagRule, ...inputs: Value[]): void {
    this.#define({ rule, inputs, when: undefined });
  }

  /** The same, where `when` is 1; else the flags stay. */
  setFlagsIf(when: Value, rule: FlagRule, ...inputs: Value[]): void {
    this.#define({ rule, inputs, when });
  }

  /** Some flags; the others stay. */
  setSomeFlags(changed: SomeFlags): void {
    const before = this.#flags;
    this.#define({ rule: packedFlags, inputs: [this.#pack(changed)], when: undefined });
    this.#flags = Flags.changed(changed, before);
  }

  #define(setting: FlagSetting): void {
    const { rule, inputs, when } = setting;
    this.#statements.push({ kind: 'setFlags', rule, inputs, when });
    this.#flags = Flags.set(setting, this.#flags);
  }

  #pack(changed: SomeFlags): Value {
    let packed = v.constant(32, 0);
    for (const name of flagNames) {
      const flag = v.resize(changed[name] ?? this.flag(name), 32);
      packed = v.or(v.shiftLeft(flag, flagBits[name]), packed);
    }
    return packed;
  }

  /** SDM vol. 1, appendix B; by the shortest way that the last setter of flags knows. */
  condition(condition: Condition): Value {
    const setting = this.#flags?.setting;
    const shortcut = setting?.rule.conditions?.[condition];
    if (shortcut !== undefined && setting !== undefined) return shortcut(...setting.inputs);
    switch (condition) {
      case 'O':
        return this.flag('OF');
      case 'B':
        return this.flag('CF');
      case 'E':
        return this.flag('ZF');
      case 'BE':
        return v.or(this.flag('CF'), this.flag('ZF'));
      case 'S':
        return this.flag('SF');
      case 'P':
        return this.flag('PF');
      case 'L':
        return v.xor(this.flag('SF'), this.flag('OF'));
      case 'LE':
        return v.or(v.xor(this.flag('SF'), this.flag('OF')), this.flag('ZF'));
    }
  }

  // Exceptions and the way on.

  raiseIf(condition: Value, vector: number, errorCode?: number): void {
    this.#statements.push({ kind: 'raiseIf', condition, vector, errorCode });
  }

  /** The instruction is the evaluator's then: before it changes anything, recompiled code leaves. */
  evaluateIf(condition: Value): void {
    this.#statements.push({ kind: 'raiseIf', condition, vector: undefined, errorCode: undefined });
  }

  jumpIf(condition: Value, target: bigint): void {
    this.#statements.push({ kind: 'jumpIf', condition, target });
  }

  end(terminator: Terminator): void {
    if (this.#terminator !== undefined) throw new TypeError('a block ends once');
    this.#terminator = terminator;
  }
}
