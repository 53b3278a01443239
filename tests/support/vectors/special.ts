/** Operands that some instructions need so that a case says more than "it faulted": dividends that fit, targets in the code … */
import { MemorySizeExt, OpKind, Register, RegisterExt } from 'iced-x86';
import { type Drawing, isRegister, numberOf } from './drawing.ts';
import { drawControl } from './fpu.ts';
import type { StoredMemory } from './state.ts';
import { chance, integer, pick, randomBits } from './values.ts';

const little = (value: bigint, bytes: number): string =>
  Buffer.from(
    BigInt.asUintN(8 * bytes, value)
      .toString(16)
      .padStart(2 * bytes, '0'),
    'hex',
  )
    .reverse()
    .toString('hex');

const counts = [0n, 1n, 2n, 7n, 8n, 9n, 15n, 16n, 17n, 31n, 32n, 33n, 63n, 64n, 65n, 0xffn];

/** In the unused parts of slots, the form itself, and its second byte. */
const target = ({ form: { rip }, random }: Drawing): bigint =>
  rip + pick(random, [-0x1e0n, -1n, 0n, 1n, 0xa0n, 0x7f3n]);

/** The width in bits of an operand that is a register or memory. */
function operandBits({ form: { instruction } }: Drawing, index: number): number {
  const register = instruction.opKind(index) === OpKind.Register;
  return (
    8 *
    (register
      ? RegisterExt.size(instruction.opRegister(index))
      : MemorySizeExt.size(instruction.memorySize))
  );
}

const setLow = (drawing: Drawing, number: number, bits: number, value: bigint): void => {
  const old = drawing.state.regs[number] ?? 0n;
  const high = (old >> BigInt(bits)) << BigInt(bits);
  drawing.state.regs[number] = BigInt.asUintN(drawing.width, high | BigInt.asUintN(bits, value));
};

/** Three times in four, a dividend whose upper half is the extension of its lower half. */
function fitDividend(drawing: Drawing): void {
  const { form, random, state } = drawing;
  if (chance(random, 25)) return;
  const bits = operandBits(drawing, 0);
  const low = BigInt.asIntN(bits, state.regs[0] ?? 0n);
  const extension = form.mnemonic === 'Idiv' && low < 0n ? -1n : 0n;
  if (bits === 8) setLow(drawing, 0, 16, (extension << 8n) | BigInt.asUintN(8, low));
  else setLow(drawing, 2, bits, extension);
}

function drawCount(drawing: Drawing): void {
  const { form, random } = drawing;
  const { instruction } = form;
  if (instruction.opRegister(instruction.opCount - 1) !== Register.CL) return;
  const narrowDouble = /^Sh[lr]d$/.test(form.mnemonic) && operandBits(drawing, 0) === 16;
  const some = narrowDouble ? counts.filter((count) => (count & 31n) <= 16n) : counts;
  setLow(drawing, 1, 8, pick(random, some));
}

function drawBranchTarget(drawing: Drawing): void {
  const { instruction } = drawing.form;
  if (instruction.opCount === 0 || instruction.opKind(0) !== OpKind.Register) return;
  drawing.state.regs[numberOf(instruction.opRegister(0))] = target(drawing);
}

function drawBitOffset(drawing: Drawing): void {
  const { form, random, state, width } = drawing;
  if (form.instruction.opKind(1) !== OpKind.Register) return;
  const register = form.instruction.opRegister(1);
  const offset = BigInt(random.below(256) - 128);
  state.regs[numberOf(register)] = BigInt.asUintN(
    Math.min(width, 8 * RegisterExt.size(register)),
    offset,
  );
}

function equalAccumulator(drawing: Drawing): void {
  const { form, random, state } = drawing;
  if (form.instruction.opKind(0) !== OpKind.Register || chance(random, 50)) return;
  const destination = form.instruction.opRegister(0);
  const high = destination >= Register.AH && destination <= Register.BH;
  const value = (state.regs[numberOf(destination)] ?? 0n) >> (high ? 8n : 0n);
  setLow(drawing, 0, operandBits(drawing, 0), value);
}

const registerRules: readonly (readonly [RegExp, (drawing: Drawing) => void])[] = [
  [/^I?div$/, fitDividend],
  [/^(Sal|Shl|Sar|Shr|Rol|Ror|Rcl|Rcr|Shld|Shrd)$/, drawCount],
  [/^(Jmp|Call)$/, drawBranchTarget],
  [
    /^(Loopn?e?|Je?r?cxz)$/,
    ({ random, state }) => {
      state.regs[1] = pick(random, [0n, 1n, 2n, 0x10000n, 0xffffffffn]);
    },
  ],
  [/^Bt[crs]?$/, drawBitOffset],
  [/^Cmpxchg$/, equalAccumulator],
];

/** Before memory is drawn; an address register that a rule sets is the rule's. */
export function drawSpecialRegisters(drawing: Drawing, addresses: ReadonlySet<Register>): void {
  const before = [...drawing.state.regs];
  for (const [pattern, rule] of registerRules)
    if (pattern.test(drawing.form.mnemonic)) rule(drawing);
  for (const register of addresses) {
    const number = numberOf(register);
    drawing.state.regs[number] = before[number] ?? 0n;
  }
}

type MemoryRule = (
  drawing: Drawing,
  mem: readonly StoredMemory[],
) => readonly StoredMemory[] | undefined;

const withContent =
  (content: (drawing: Drawing, bytes: number) => bigint): MemoryRule =>
  (drawing, mem) => {
    const at = mem.findIndex(([, stored]) => typeof stored === 'string');
    return mem.map(([address, stored], i) => {
      if (i !== at || typeof stored !== 'string') return [address, stored];
      return [address, little(content(drawing, stored.length / 2), stored.length / 2)];
    });
  };

/** BT with an offset in a register reaches beyond its operand. */
const bitWindow: MemoryRule = (drawing, mem) => {
  const {
    form: { instruction },
    state,
  } = drawing;
  const [first] = mem;
  if (!first || instruction.opKind(1) !== OpKind.Register) return mem;
  const register = instruction.opRegister(1);
  const [bits, number] = [8 * RegisterExt.size(register), numberOf(register)];
  if ([instruction.memoryBase, instruction.memoryIndex].some((part) => isRegister(part, number)))
    return undefined;
  const offset = BigInt.asIntN(bits, state.regs[number] ?? 0n);
  const address = BigInt(`0x${first[0]}`) + (offset >> BigInt(Math.log2(bits))) * BigInt(bits / 8);
  return [[address.toString(16), first[1]], ...mem.slice(1)];
};

const accumulatorPair: MemoryRule = (drawing, mem) => {
  const { random, state } = drawing;
  if (chance(random, 50)) return mem;
  return withContent((_, bytes) => {
    const half = BigInt(4 * bytes);
    const [low, high] = [state.regs[0] ?? 0n, state.regs[2] ?? 0n];
    return (high << half) | BigInt.asUintN(4 * bytes, low);
  })(drawing, mem);
};

/** What a popf may change in a user's program, but TF and NT, and AC, which would make the CPU check alignment. */
const flagBits = 0x200ed7n;

const memoryRules: readonly (readonly [RegExp, MemoryRule])[] = [
  [/^(Jmp|Call|Ret)$/, withContent((drawing) => target(drawing))],
  [/^Bt[crs]?$/, bitWindow],
  [/^Popf[dq]?$/, withContent(({ random }) => (randomBits(random, 32) & flagBits) | 2n)],
  [
    /^Cmpxchg$/,
    (drawing, mem) =>
      chance(drawing.random, 50)
        ? mem
        : withContent(({ state }) => state.regs[0] ?? 0n)(drawing, mem),
  ],
  [/^Cmpxchg(8b|16b)$/, accumulatorPair],
  [
    /^Ldmxcsr$/,
    withContent(({ random }) =>
      chance(random, 10) ? randomBits(random, 32) : 0x1f80n ^ (randomBits(random, 16) & 0xe07fn),
    ),
  ],
  [/^Fldcw$/, withContent(({ random }) => BigInt(drawControl(random)))],
];

/** A shift of 16 bits by more than 16 has no defined result, and a case that cannot be told in full is none. */
const excluded = ({ form }: Drawing): boolean =>
  /^Sh[lr]d_rm16_r16_imm8$/.test(form.code) && (form.instruction.immediate8 & 31) > 16;

export function drawSpecialMemory(
  drawing: Drawing,
  mem: readonly StoredMemory[],
): readonly StoredMemory[] | undefined {
  if (excluded(drawing)) return undefined;
  const rule = memoryRules.find(([pattern]) => pattern.test(drawing.form.mnemonic));
  return rule ? rule[1](drawing, mem) : mem;
}

/** The elements of a string: mostly equal to `to`, so that REPE goes on for a while, or mostly not, for REPNE. */
function elements(
  drawing: Drawing,
  count: number,
  bytes: number,
  to: bigint,
  equal: boolean,
): string {
  const { random } = drawing;
  const other = integer(random, 8 * bytes);
  return Array.from({ length: count }, () =>
    little(chance(random, 75) === equal ? to : other, bytes),
  ).join('');
}

/** String instructions: short counts, both directions, overlap, and now and then the end of the data. */
export function stringMemory(drawing: Drawing, last: boolean): StoredMemory[] {
  const { form, random, state } = drawing;
  const { instruction } = form;
  const bytes = { b: 1, w: 2, d: 4, q: 8 }[form.mnemonic.slice(-1)] ?? 1;
  const repeated = instruction.hasRepPrefix || instruction.hasRepnePrefix;
  const count = repeated ? pick(random, [0, 1, 2, 3, 5, 8]) : 1;
  if (repeated) state.regs[1] = BigInt(count);
  const reach = BigInt(bytes * Math.max(count, 1));
  const down = (state.rflags & 0x400n) !== 0n;
  if (form.mnemonic.startsWith('Movs') && chance(random, 35))
    state.regs[7] = (state.regs[6] ?? 0n) + pick(random, [1n, -1n, BigInt(bytes), -BigInt(bytes)]);
  if (last && chance(random, 40) && !down)
    state.regs[pick(random, [6, 7])] = 0x20004000n - (reach * 2n) / 3n;
  const place = (number: number): string => {
    const at = state.regs[number] ?? 0n;
    return (down ? at - reach + BigInt(bytes) : at).toString(16);
  };
  const equal = !instruction.hasRepnePrefix;
  const to = /^Scas/.test(form.mnemonic) ? (state.regs[0] ?? 0n) : integer(random, 8 * bytes);
  const content = () => elements(drawing, Number(reach) / bytes, bytes, to, equal);
  const source: StoredMemory[] = /^(Movs|Cmps|Lods)/.test(form.mnemonic)
    ? [[place(6), content()]]
    : [];
  if (/^(Cmps|Scas)/.test(form.mnemonic)) return [...source, [place(7), content()]];
  return /^(Movs|Stos)/.test(form.mnemonic) ? [[place(7), Number(reach)], ...source] : source;
}
