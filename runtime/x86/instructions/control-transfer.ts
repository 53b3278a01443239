/** Jumps, calls, returns, loops and software interrupts (SDM vol. 1, 5.1.7 and 5.1.14; near forms alone). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { Terminator, Value } from '../../ir/value.ts';
import { RCX, RSP } from '../registers.ts';
import {
  type InstructionFacts,
  type InstructionTable,
  register,
  type Semantics,
  vectors,
} from '../semantics.ts';
import { type Test, conditions as when } from './conditions.ts';
import { addressWithOffset, push } from './operands.ts';
import { askHost } from './privileged.ts';

const isFar = ({ code }: InstructionFacts): boolean => /_(m|ptr)16/.test(code);

const jmp: Semantics = (b, operands, facts) => {
  if (isFar(facts)) askHost(b, operands, facts);
  else if (facts.target !== undefined) b.end({ kind: 'jump', target: facts.target });
  else b.end(jumpTo(v.resize(b.read(operands[0]), b.mode)));
};

/** Code of the large model loads every address into a register first. */
const jumpTo = (address: Value): Terminator => {
  const target = v.constantOf(address);
  return target === undefined
    ? { kind: 'jumpIndirect', target: address }
    : { kind: 'jump', target };
};

const callTo = (address: Value, returnTo: bigint): Terminator => {
  const target = v.constantOf(address);
  return target === undefined
    ? { kind: 'callIndirect', target: address, returnTo }
    : { kind: 'call', target, returnTo };
};

const call: Semantics = (b, operands, facts) => {
  if (isFar(facts)) {
    askHost(b, operands, facts);
    return;
  }
  const { target, next } = facts;
  const address = target === undefined ? b.read(operands[0]) : undefined;
  if (/16$/.test(facts.code)) {
    callShort(b, address, facts);
    return;
  }
  push(b, v.constant(b.mode, next));
  if (address !== undefined) b.end(callTo(address, next));
  else if (target !== undefined) b.end({ kind: 'call', target, returnTo: next });
};

/** The 16-bit forms push 16 bits of the return address: nobody comes back by it, and the call is a jump. */
const callShort = (b: Builder, address: Value | undefined, facts: InstructionFacts): void => {
  push(b, v.constant(16, facts.next));
  if (facts.target !== undefined) b.end({ kind: 'jump', target: facts.target });
  else if (address !== undefined)
    b.end({ kind: 'jumpIndirect', target: v.resize(address, b.mode) });
};

/** Pops the address and then as many bytes as the operand says. */
const ret: Semantics = (b, operands, facts) => {
  const width = facts.code.startsWith('Retnw') ? 16 : b.mode;
  const top = b.register(RSP);
  const target = v.resize(b.load(top, width), b.mode);
  const argumentBytes = v.constantOf(b.read(operands[0])) ?? 0n;
  b.setRegister(RSP, v.add(top, v.constant(b.mode, BigInt(width / 8) + argumentBytes)));
  b.end({ kind: 'return', target });
};

const branch = (b: Builder, condition: ReturnType<Test>, facts: InstructionFacts): void => {
  if (facts.target === undefined) throw new TypeError(`${facts.code} without a target`);
  b.end({ kind: 'branch', condition, taken: facts.target, otherwise: facts.next });
};

const jcc =
  (test: Test): Semantics =>
  (b, _, facts) =>
    branch(b, test(b), facts);

/** Counts down and jumps while the count is not 0 and the condition holds. */
const loop =
  (test: Test): Semantics =>
  (b, _, facts) => {
    const counter = register(RCX, facts.addressWidth);
    const left = v.add(b.read(counter), v.constant(facts.addressWidth, -1));
    const goesOn = v.and(v.not(v.isZero(left)), test(b));
    b.write(counter, left);
    branch(b, goesOn, facts);
  };

const jrcxz: Semantics = (b, _, facts) =>
  branch(b, v.isZero(b.read(register(RCX, facts.addressWidth))), facts);

/** Ends with a trap: the guest goes on after it. */
const trap = (b: Builder, vector: number, { next }: InstructionFacts): void =>
  b.end({ kind: 'leave', reason: 'exception', operand: vector, next });

const hypercallVector = 0x82;

/** A 32-bit guest of Xen asks through INT 82H; what other gates allow, their table says. */
const int: Semantics = (b, operands, facts) => {
  const number = Number(v.constantOf(b.read(operands[0])) ?? 0n);
  if (number === hypercallVector)
    b.end({ kind: 'leave', reason: 'hypercall', operand: number, next: facts.next });
  else askHost(b, operands, facts);
};

/** #OF is a trap. */
const into: Semantics = (b, _, facts) => {
  b.jumpIf(v.not(b.flag('OF')), facts.next);
  trap(b, vectors.OF, facts);
};

/** #BR where the signed index lies outside of the two bounds in memory. */
const bound: Semantics = (b, [index, bounds], facts) => {
  if (bounds.kind !== 'memory') throw new TypeError(`${facts.code} without bounds in memory`);
  const value = b.read(index);
  const lower = b.load(b.address(bounds), value.width);
  const second = v.constant(b.mode, value.width / 8);
  const upper = b.load(addressWithOffset(b, bounds, second), value.width);
  b.raiseIf(v.or(v.lessSigned(value, lower), v.lessSigned(upper, value)), vectors.BR);
};

export const controlTransfer = {
  BOUND: bound,
  CALL: call,
  INT: int,
  INT1: (b, _, facts) => trap(b, vectors.DB, facts),
  INT3: (b, _, facts) => trap(b, vectors.BP, facts),
  INTO: into,
  JA: jcc(when.A),
  JAE: jcc(when.AE),
  JB: jcc(when.B),
  JBE: jcc(when.BE),
  JCXZ: jrcxz,
  JE: jcc(when.E),
  JECXZ: jrcxz,
  JG: jcc(when.G),
  JGE: jcc(when.GE),
  JL: jcc(when.L),
  JLE: jcc(when.LE),
  JMP: jmp,
  JNE: jcc(when.NE),
  JNO: jcc(when.NO),
  JNP: jcc(when.NP),
  JNS: jcc(when.NS),
  JO: jcc(when.O),
  JP: jcc(when.P),
  JRCXZ: jrcxz,
  JS: jcc(when.S),
  LOOP: loop(() => v.one),
  LOOPE: loop(when.E),
  LOOPNE: loop(when.NE),
  RET: ret,
} as const satisfies InstructionTable;
