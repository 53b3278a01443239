/**
 * The flags that the manual leaves undefined, by mnemonic (SDM vol. 1, appendix A, and each instruction's page in vol. 2):
 * what recorded vectors do not say, and nothing else.
 */
import { type Instruction, MemorySizeExt, OpKind, RegisterExt } from 'iced-x86';
import type { Flag } from '../../runtime/ir/ops.ts';
import type { CpuState } from './cpu-oracle.ts';

/** What a shift is told by: its count as the CPU masks it, and its operand's width. */
interface Shift {
  readonly count: number;
  readonly bits: number;
}

type Declaration = readonly Flag[] | ((shift: Shift) => readonly Flag[]);

const all = ['CF', 'PF', 'AF', 'ZF', 'SF', 'OF'] as const;

/** OF is defined for counts of 1 alone; where the count is 0, no flag changes. */
const rotate: Declaration = ({ count }) => (count > 1 ? ['OF'] : []);

const shift =
  (isCarryLost: boolean): Declaration =>
  ({ count, bits }) => {
    if (count === 0) return [];
    const overflow = count > 1 ? (['AF', 'OF'] as const) : (['AF'] as const);
    return isCarryLost && count >= bits ? [...overflow, 'CF'] : overflow;
  };

/** Beyond the operand's width, which only 16 bits allow, nothing is defined. */
const double: Declaration = ({ count, bits }) => {
  if (count === 0) return [];
  if (count > bits) return all;
  return count > 1 ? ['AF', 'OF'] : ['AF'];
};

const logic: Declaration = ['AF'];
const multiply: Declaration = ['SF', 'ZF', 'AF', 'PF'];
const bitTest: Declaration = ['OF', 'SF', 'AF', 'PF'];
const bitScan: Declaration = ['CF', 'OF', 'SF', 'AF', 'PF'];
const ascii: Declaration = ['OF', 'SF', 'ZF', 'PF'];
const countZeros: Declaration = ['OF', 'SF', 'AF', 'PF'];
const bits: Declaration = ['AF', 'PF'];

// biome-ignore format: a table
const declarations: Readonly<Record<string, Declaration>> = {
  And: logic, Or: logic, Xor: logic, Test: logic,
  Mul: multiply, Imul: multiply, Div: all, Idiv: all,
  Sal: shift(true), Shl: shift(true), Shr: shift(true), Sar: shift(false), Shld: double, Shrd: double,
  Rol: rotate, Ror: rotate, Rcl: rotate, Rcr: rotate,
  Bt: bitTest, Bts: bitTest, Btr: bitTest, Btc: bitTest, Bsf: bitScan, Bsr: bitScan,
  Aaa: ascii, Aas: ascii, Daa: ['OF'], Das: ['OF'], Aam: ['OF', 'AF', 'CF'], Aad: ['OF', 'AF', 'CF'],
  Andn: bits, Blsi: bits, Blsr: bits, Blsmsk: bits, Bzhi: bits, Bextr: ['AF', 'SF', 'PF'],
  Lzcnt: countZeros, Tzcnt: countZeros,
};

const flagBits = { CF: 0, PF: 2, AF: 4, ZF: 6, SF: 7, OF: 11 } as const;

function shiftOf(instruction: Instruction, state: CpuState): Shift {
  const bits =
    8 *
    (instruction.opKind(0) === OpKind.Register
      ? RegisterExt.size(instruction.opRegister(0))
      : MemorySizeExt.size(instruction.memorySize));
  const last = instruction.opCount - 1;
  const raw =
    instruction.opKind(last) === OpKind.Register
      ? Number((state.regs[1] ?? 0n) & 0xffn)
      : Number(instruction.immediate(last) & 0xffn);
  return { bits, count: raw & (bits === 64 ? 0x3f : 0x1f) };
}

/** As a mask of EFLAGS, of one instruction with its input. */
export function undefinedFlags(
  mnemonic: string,
  instruction: Instruction,
  state: CpuState,
): bigint {
  const declared = declarations[mnemonic];
  if (declared === undefined) return 0n;
  const names = typeof declared === 'function' ? declared(shiftOf(instruction, state)) : declared;
  return names.reduce((mask, name) => mask | (1n << BigInt(flagBits[name])), 0n);
}
