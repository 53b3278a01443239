/**
 * States to run an instruction in: what it reads is drawn from the edges of its operands' types, what it does not
 * read stays as in the base state, so that a case is short and a stray write shows.
 */
import {
  type Instruction,
  InstructionInfoFactory,
  MemorySize,
  MemorySizeExt,
  OpAccess,
  OpKind,
  Register,
  RegisterExt,
  type UsedMemory,
  type UsedRegister,
} from 'iced-x86';
import { type CpuState, type CpuWidth, segmentBase } from '../cpu-oracle.ts';
import { type Random, random } from '../random.ts';
import { type Drawing, isRegister, numberOf } from './drawing.ts';
import type { Form } from './forms.ts';
import { drawFpu, environmentBytes, fxsaveBytes } from './fpu.ts';
import { drawSpecialMemory, drawSpecialRegisters, stringMemory } from './special.ts';
import { baseState, type StoredMemory } from './state.ts';
import { chance, element, integer, pick, randomBits } from './values.ts';

export interface Input {
  readonly state: CpuState;
  readonly mem: readonly StoredMemory[];
}

const isGeneral = (register: Register): boolean => RegisterExt.isGPR(register);

const reads: ReadonlySet<OpAccess> = new Set([
  OpAccess.Read,
  OpAccess.CondRead,
  OpAccess.ReadWrite,
  OpAccess.ReadCondWrite,
]);

const touches = (access: OpAccess): boolean =>
  access !== OpAccess.None && access !== OpAccess.NoMemAccess;

/** The type of an SSE register's lanes: that of the memory operand the opcode could have, else by the mnemonic's last letters. */
function laneType(form: Form, random: Random): { type: string; bits: number } {
  const size = form.instruction.opCode.memorySize;
  const element = MemorySizeExt.elementType(size);
  const bits = 8 * MemorySizeExt.elementSize(size);
  const name = MemorySize[element] ?? '';
  if (name.startsWith('Float')) return { type: name, bits };
  if (/[ps]s$/i.test(form.mnemonic) || /^Mov(lh|hl)ps/.test(form.mnemonic))
    return { type: 'Float32', bits: 32 };
  if (/^[A-Z].*[ps]d$/.test(form.mnemonic) && !/^P/.test(form.mnemonic))
    return { type: 'Float64', bits: 64 };
  if (bits >= 8 && bits <= 64) return { type: name, bits };
  return { type: 'Int', bits: pick(random, [8, 16, 32, 64]) };
}

export function vector(drawing: Drawing, bits: number): bigint {
  const { form, random } = drawing;
  const lane = laneType(form, random);
  let value = 0n;
  for (let at = 0; at < bits; at += lane.bits) {
    const repeat = drawing.recent.length > 0 && chance(random, 10);
    const drawn = repeat ? pick(random, drawing.recent) : element(random, lane.type, lane.bits);
    if (at === 0) drawing.recent.push(drawn);
    value |= BigInt.asUintN(lane.bits, drawn) << BigInt(at);
  }
  return value;
}

function general(drawing: Drawing, bits: number): bigint {
  const { random, recent } = drawing;
  const value =
    recent.length > 0 && chance(random, 12) ? pick(random, recent) : integer(random, bits);
  recent.push(value);
  return BigInt.asUintN(bits, value);
}

function drawRegisters(
  drawing: Drawing,
  used: readonly UsedRegister[],
  addresses: ReadonlySet<Register>,
): void {
  const { state, width } = drawing;
  for (const { register, access } of used) {
    const full = RegisterExt.fullRegister(register);
    if (!reads.has(access) || addresses.has(full)) continue;
    if (isGeneral(register)) state.regs[numberOf(register)] = general(drawing, width);
    else if (RegisterExt.isVectorRegister(register))
      state.xmm[numberOf(register)] = vector(drawing, 128);
  }
}

/** Registers that point nowhere are random in half of the cases: what an instruction does not write stays as it is. */
function drawOthers({ random, state, width }: Drawing): void {
  if (chance(random, 50)) return;
  for (const [i, value] of state.regs.entries())
    if (value >> 28n > 3n) state.regs[i] = randomBits(random, width);
}

/** CF PF AF ZF SF OF; the direction flag only where it is read. */
function drawFlags({ form, random, state }: Drawing): void {
  const some = random.u32() & 0x8d5;
  const direction = form.group === 'string' && chance(random, 35) ? 0x400 : 0;
  state.rflags = BigInt(0x202 | some | direction);
}

/** The one segment that has a base; the others begin at 0. */
const baseOf = (segment: Register, width: CpuWidth): bigint =>
  segment === (width === 64 ? Register.GS : Register.FS) ? segmentBase : 0n;

/** Where a memory operand is, with the registers as they are. */
function addressOf(memory: UsedMemory, state: CpuState, width: CpuWidth): bigint {
  const value = (register: Register): bigint => {
    if (register === Register.None || register === Register.RIP || register === Register.EIP)
      return 0n;
    const bits = 8 * RegisterExt.size(register);
    return BigInt.asUintN(bits, state.regs[numberOf(register)] ?? 0n);
  };
  const sum = value(memory.base) + value(memory.index) * BigInt(memory.scale) + memory.displacement;
  const sized = memory.base === Register.None ? memory.index : memory.base;
  const narrow =
    width === 32 ||
    sized === Register.EIP ||
    (RegisterExt.isGPR32(sized) && sized !== Register.None);
  const offset = BigInt.asUintN(narrow ? 32 : 64, sum);
  return BigInt.asUintN(width, offset + baseOf(memory.segment, width));
}

const hasMemoryOperand = (instruction: Instruction): boolean =>
  Array.from({ length: instruction.opCount }, (_, i) => instruction.opKind(i)).includes(
    OpKind.Memory,
  );

/** Moves the base register so that the operand lies where only the rarer cases put it. */
function displace(drawing: Drawing, explicit: UsedMemory, target: bigint): boolean {
  const { state, width, form } = drawing;
  const { memoryBase: base, memoryIndex: index } = form.instruction;
  if (base === Register.None || base === Register.RIP || isRegister(index, numberOf(base)))
    return false;
  if (numberOf(base) === 4 && form.instruction.isStackInstruction) return false;
  const number = numberOf(base);
  const moved = (state.regs[number] ?? 0n) + target - addressOf(explicit, state, width);
  state.regs[number] = BigInt.asUintN(RegisterExt.size(base) === 4 ? 32 : width, moved);
  return true;
}

/** The ends of the data and of the stack. */
const ends = [0x20004000n, 0x30004000n];

/** Across two pages, misaligned, or wholly or partly past the end of the data. */
function drawPlace(drawing: Drawing, explicit: UsedMemory, edge: boolean): void {
  const { random } = drawing;
  const size = Math.max(1, MemorySizeExt.size(explicit.memorySize));
  const kind = edge ? random.below(6) : random.below(40);
  if (kind === 0) displace(drawing, explicit, pick(random, ends) - BigInt(random.below(size)));
  else if (kind === 1) displace(drawing, explicit, 0x20003000n - BigInt(Math.ceil(size / 2)));
  else if (kind === 2) displace(drawing, explicit, 0x20000a01n + BigInt(random.below(15)));
  else if (kind === 3 && edge) displace(drawing, explicit, pick(random, ends) + 0x10n);
}

/** At times a stack that is full, for a push, or used up, for a pop. */
function drawStackEnd({ form, random, state }: Drawing): void {
  if (!form.instruction.isStackInstruction || !chance(random, 50)) return;
  state.regs[4] = form.instruction.stackPointerIncrement < 0 ? 0x30000000n : 0x30004000n;
}

function drawIndex({ form, random, state, width }: Drawing): void {
  const { memoryIndex: index, memoryBase: base, memoryIndexScale: scale } = form.instruction;
  if (index === Register.None || isRegister(base, numberOf(index)) || index === Register.AL) return;
  const bits = RegisterExt.size(index) === 4 ? 32 : width;
  const element = BigInt(16 / scale);
  state.regs[numberOf(index)] = BigInt.asUintN(
    bits,
    element * BigInt(pick(random, [0, 1, 2, 3, -1, -2])),
  );
}

const littleEndian = (value: bigint, length: number): string =>
  Buffer.from(
    BigInt.asUintN(8 * length, value)
      .toString(16)
      .padStart(2 * length, '0'),
    'hex',
  )
    .reverse()
    .toString('hex');

/** The content of an operand that is read, by its type. */
function operandBytes(drawing: Drawing, size: MemorySize): string {
  const { random, recent } = drawing;
  const name = MemorySize[size] ?? '';
  if (name.startsWith('Fpu')) return environmentBytes(random, name);
  if (name.startsWith('Fxsave')) return fxsaveBytes(random);
  const length = MemorySizeExt.size(size);
  const type = MemorySize[MemorySizeExt.elementType(size)] ?? '';
  const step =
    MemorySizeExt.elementSize(size) > 8 && type !== 'Float80' && type !== 'Bcd'
      ? 8
      : MemorySizeExt.elementSize(size);
  let bytes = '';
  for (let at = 0; at < length; at += step) {
    const repeat = recent.length > 0 && chance(random, 12);
    const value = repeat ? pick(random, recent) : element(random, type, 8 * step);
    recent.push(value);
    bytes += littleEndian(value, step);
  }
  return bytes;
}

function drawMemory(drawing: Drawing, used: readonly UsedMemory[]): StoredMemory[] {
  const { state, width } = drawing;
  return used.flatMap((memory): StoredMemory[] => {
    if (!touches(memory.access)) return [];
    const address = addressOf(memory, state, width).toString(16);
    const read = reads.has(memory.access);
    return [
      [
        address,
        read ? operandBytes(drawing, memory.memorySize) : MemorySizeExt.size(memory.memorySize),
      ],
    ];
  });
}

/** MXCSR's rounding, flush-to-zero, denormals-are-zero and masks, for the group that varies them. */
function drawMxcsr({ random, state }: Drawing): void {
  const rounding = random.below(4) << 13;
  const zeros = pick(random, [0, 0, 0x40, 0x8000, 0x8040]);
  const unmasked = chance(random, 25) ? 1 << (7 + random.below(6)) : 0;
  state.mxcsr =
    (0x1f80 & ~unmasked) |
    rounding |
    zeros |
    (chance(random, 30) ? random.below(64) & ~(unmasked >> 7) : 0);
}

interface Used {
  readonly registers: readonly UsedRegister[];
  readonly memory: readonly UsedMemory[];
}

function usedBy(instruction: Instruction): Used {
  const factory = new InstructionInfoFactory();
  const info = factory.info(instruction);
  const used = {
    registers: info.usedRegisters() as UsedRegister[],
    memory: (info.usedMemory() as UsedMemory[]).filter(({ access }) => touches(access)),
  };
  info.free();
  factory.free();
  return used;
}

/** Registers that make an address; xlat's AL is an operand as well. */
function addressRegisters({ memory }: Used): Set<Register> {
  const registers = memory.flatMap((each) => [each.base, each.index]);
  const general = registers.filter((register) => isGeneral(register) && register !== Register.AL);
  return new Set(general.map((register) => RegisterExt.fullRegister(register)));
}

/** The memory operand that the instruction spells, if it accesses it. */
function explicitMemory({ instruction }: Form, { memory }: Used): UsedMemory | undefined {
  if (!hasMemoryOperand(instruction)) return undefined;
  const { memoryBase, memoryIndex } = instruction;
  return memory.find(({ base, index }) => base === memoryBase && index === memoryIndex);
}

/** Draws a form's inputs by number; undefined where the operands drawn have no defined result. */
export function inputsOf(form: Form): (index: number) => Input | undefined {
  const used = usedBy(form.instruction);
  const addresses = addressRegisters(used);
  const explicit = explicitMemory(form, used);
  return (index) => drawInput(form, { used, addresses, explicit }, index);
}

interface Operands {
  readonly used: Used;
  readonly addresses: ReadonlySet<Register>;
  readonly explicit: UsedMemory | undefined;
}

function drawInput(
  form: Form,
  { used, addresses, explicit }: Operands,
  index: number,
): Input | undefined {
  const { variation, width } = form.plan;
  const draw = random((form.seed + 0x9e3779b9 * (index + 1)) >>> 0);
  const state = baseState(width, form.rip);
  const drawing: Drawing = { form, width, random: draw, state, recent: [] };
  const edge = index === form.cases - 1;
  drawOthers(drawing);
  drawFlags(drawing);
  drawRegisters(drawing, used.registers, addresses);
  if (/^fpu|^mmx/.test(form.group)) drawFpu(drawing, used.registers, variation === 'unmasked');
  if (variation === 'mxcsr') drawMxcsr(drawing);
  if (form.group === 'string') return { state, mem: stringMemory(drawing, edge) };
  if (addresses.size > 0) drawIndex(drawing);
  drawSpecialRegisters(drawing, addresses);
  if (edge && addresses.has(Register.RSP)) drawStackEnd(drawing);
  if (explicit && baseOf(explicit.segment, width) !== 0n)
    displace(drawing, explicit, addressOf(explicit, state, width) - segmentBase);
  if (explicit && variation === 'usual') drawPlace(drawing, explicit, edge);
  const mem = drawSpecialMemory(drawing, drawMemory(drawing, used.memory));
  return mem && { state, mem };
}
