/** One instruction of an opcode, with operands and prefixes drawn from its seed: the same for the same number. */
import {
  CodeExt,
  Decoder,
  DecoderOptions,
  Encoder,
  Instruction,
  OpCodeOperandKind as Kind,
  OpKind,
  Register,
} from 'iced-x86';
import type { CpuWidth } from '../cpu-oracle.ts';
import { type Random, random } from '../random.ts';
import type { CodePlan } from './codes.ts';
import { operandKinds } from './groups.ts';
import { slotAddress } from './state.ts';
import { chance, pick } from './values.ts';

export interface Form {
  readonly plan: CodePlan;
  readonly group: string;
  readonly mnemonic: string;
  /** iced-x86's name of the opcode. */
  readonly code: string;
  readonly instruction: Instruction;
  readonly bytes: Uint8Array;
  readonly rip: bigint;
  readonly seed: number;
  readonly cases: number;
}

/** FNV-1a: a form keeps its seed when others come or go. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return hash;
}

/** Consecutive numbers of iced-x86's registers, from the first of a kind. */
const run = (first: Register, count: number): readonly Register[] =>
  Array.from({ length: count }, (_, i) => first + i);

function registerPools(width: CpuWidth) {
  const count = width === 64 ? 16 : 8;
  return {
    r8: run(Register.AL, width === 64 ? 20 : 8),
    r16: run(Register.AX, count),
    r32: run(Register.EAX, count),
    r64: run(Register.RAX, count),
    mm: run(Register.MM0, 8),
    xmm: run(Register.XMM0, count),
    st: run(Register.ST0, 8),
  } as const;
}

type Pool = keyof ReturnType<typeof registerPools>;

// biome-ignore format: a table
const registerKinds: ReadonlyMap<Kind, Pool> = new Map([
  [Kind.r8_or_mem, 'r8'], [Kind.r16_or_mem, 'r16'], [Kind.r32_or_mem, 'r32'], [Kind.r64_or_mem, 'r64'],
  [Kind.mm_or_mem, 'mm'], [Kind.xmm_or_mem, 'xmm'],
  [Kind.r8_reg, 'r8'], [Kind.r8_opcode, 'r8'], [Kind.r16_reg, 'r16'], [Kind.r16_rm, 'r16'], [Kind.r16_opcode, 'r16'],
  [Kind.r32_reg, 'r32'], [Kind.r32_rm, 'r32'], [Kind.r32_opcode, 'r32'], [Kind.r32_vvvv, 'r32'],
  [Kind.r64_reg, 'r64'], [Kind.r64_rm, 'r64'], [Kind.r64_opcode, 'r64'], [Kind.r64_vvvv, 'r64'],
  [Kind.mm_reg, 'mm'], [Kind.mm_rm, 'mm'], [Kind.xmm_reg, 'xmm'], [Kind.xmm_rm, 'xmm'], [Kind.sti_opcode, 'st'],
]);

// biome-ignore format: a table
const memoryKinds: ReadonlySet<Kind> = new Set([
  Kind.r8_or_mem, Kind.r16_or_mem, Kind.r32_or_mem, Kind.r64_or_mem, Kind.mm_or_mem, Kind.xmm_or_mem, Kind.mem,
]);

const fixedRegisters: ReadonlyMap<Kind, Register> = new Map([
  [Kind.al, Register.AL],
  [Kind.cl, Register.CL],
  [Kind.ax, Register.AX],
  [Kind.dx, Register.DX],
  [Kind.eax, Register.EAX],
  [Kind.rax, Register.RAX],
  [Kind.st0, Register.ST0],
]);

const immediates: ReadonlyMap<Kind, readonly [OpKind, bits: number]> = new Map([
  [Kind.imm8, [OpKind.Immediate8, 8]],
  [Kind.imm8sex16, [OpKind.Immediate8to16, 8]],
  [Kind.imm8sex32, [OpKind.Immediate8to32, 8]],
  [Kind.imm8sex64, [OpKind.Immediate8to64, 8]],
  [Kind.imm16, [OpKind.Immediate16, 16]],
  [Kind.imm32, [OpKind.Immediate32, 32]],
  [Kind.imm32sex64, [OpKind.Immediate32to64, 32]],
  [Kind.imm64, [OpKind.Immediate64, 64]],
]);

const branches: ReadonlySet<Kind> = new Set([Kind.br32_1, Kind.br64_1, Kind.br32_4, Kind.br64_4]);

/** One attempt at operands for a code; `variant` counts up from 0 and alternates registers and memory. */
interface Attempt {
  readonly instruction: Instruction;
  readonly width: CpuWidth;
  readonly random: Random;
  readonly memory: boolean;
  readonly sameRegister: boolean;
  readonly name: string;
  readonly rip: bigint;
}

function setMemory(attempt: Attempt, index: number): void {
  const { instruction, width, random, name } = attempt;
  const wide = width === 64 && !chance(random, 8);
  const first = wide ? Register.RAX : Register.EAX;
  const stack = /^(Push|Pop|Call|Enter|Leave)/.test(name);
  const bases = [3, 6, 7, ...(stack ? [] : [4, 5]), ...(width === 64 ? [12, 13] : [])];
  const scaled = first + pick(random, [0, 1, 2, ...(width === 64 ? [8, 9, 14, 15] : [])]);
  instruction.setOpKind(index, OpKind.Memory);
  const shape = random.below(8);
  if (shape === 0) {
    setMemoryWithoutBase(attempt, scaled);
    return;
  }
  instruction.memoryBase = first + pick(random, bases);
  if (shape >= 4) setIndex(instruction, scaled, random);
  if (shape % 2 === 0) return;
  const small = chance(random, 70);
  instruction.memoryDisplSize = small ? 1 : wide ? 8 : 4;
  const displacement = BigInt(16 * (small ? random.below(14) - 7 : random.below(40) - 20));
  instruction.memoryDisplacement = BigInt.asUintN(wide ? 64 : 32, displacement);
}

/** An absolute address, or one relative to rip, or an index alone. */
function setMemoryWithoutBase({ instruction, width, random }: Attempt, scaled: Register): void {
  const relative = width === 64 && chance(random, 70);
  instruction.memoryDisplSize = relative ? 8 : 4;
  instruction.memoryDisplacement = 0x20000000n + BigInt(16 * random.below(0x300));
  if (relative) instruction.memoryBase = Register.RIP;
  else if (chance(random, 50)) setIndex(instruction, scaled, random);
}

function setIndex(instruction: Instruction, register: Register, random: Random): void {
  instruction.memoryIndex = register;
  instruction.memoryIndexScale = pick(random, [1, 2, 4, 8]);
}

const immediateEdges = [0, 1, -1, 0x7f, 0x80, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65];

function immediate(random: Random, bits: number): bigint {
  const high = 1n << BigInt(bits - 1);
  if (chance(random, 55)) return BigInt(pick(random, immediateEdges));
  if (chance(random, 30)) return pick(random, [high, high - 1n, high + 1n]);
  return random.bigint64();
}

function setImmediate(attempt: Attempt, index: number, kind: OpKind, bits: number): void {
  const { instruction, random } = attempt;
  const second = kind === OpKind.Immediate8 && instruction.opKind(0) === OpKind.Immediate16;
  const value = attempt.name.startsWith('Enter')
    ? BigInt(second ? random.below(3) : 8 * random.below(20))
    : BigInt.asIntN(bits, immediate(random, bits));
  instruction.setOpKind(index, second ? OpKind.Immediate8_2nd : kind);
  if (bits === 8 && kind === OpKind.Immediate8)
    instruction.setImmediateU32(index, Number(BigInt.asUintN(8, value)));
  else if (bits === 16) instruction.setImmediateU32(index, Number(BigInt.asUintN(16, value)));
  else if (kind === OpKind.Immediate32) instruction.setImmediateI32(index, Number(value));
  else instruction.setImmediateI64(index, value);
}

/** Targets lie in the unused part of a slot. */
function setBranch({ instruction, width, random, name, rip }: Attempt, index: number): void {
  const near = /rel8/.test(name);
  const distance = pick(
    random,
    near ? [-0x60, -0x20, 0, 0x1f, 0x20, 0x70] : [-0x7e0, -0x60, 0, 0x60, 0xe30],
  );
  const target = rip + BigInt(distance);
  instruction.setOpKind(index, width === 64 ? OpKind.NearBranch64 : OpKind.NearBranch32);
  if (width === 64) instruction.nearBranch64 = target;
  else instruction.nearBranch32 = Number(target);
}

// biome-ignore format: a table
const implicitMemory = {
  [Kind.seg_rSI]: { 64: OpKind.MemorySegRSI, 32: OpKind.MemorySegESI },
  [Kind.es_rDI]:  { 64: OpKind.MemoryESRDI,  32: OpKind.MemoryESEDI },
  [Kind.seg_rDI]: { 64: OpKind.MemorySegRDI, 32: OpKind.MemorySegEDI },
} as const;

/** The operand of a kind that spoils its instruction: rsp moves a branch's stack into the code, ah and rdx are dividends. */
function unfit(name: string, pool: Pool): number {
  if (/^(Call|Jmp)/.test(name)) return 4;
  if (/^I?div_/i.test(name)) return pool === 'r8' ? 4 : 2;
  return -1;
}

function setRegister(attempt: Attempt, index: number, pool: Pool): void {
  const { instruction, random, sameRegister, width } = attempt;
  instruction.setOpKind(index, OpKind.Register);
  const same = sameRegister && index > 0 && instruction.opKind(index - 1) === OpKind.Register;
  const all = registerPools(width)[pool];
  const some = all.filter((_, i) => i !== unfit(attempt.name, pool));
  instruction.setOpRegister(index, same ? instruction.opRegister(index - 1) : pick(random, some));
}

function setOther(attempt: Attempt, index: number, kind: Kind): boolean {
  const { instruction, width } = attempt;
  const immediateKind = immediates.get(kind);
  if (immediateKind) setImmediate(attempt, index, ...immediateKind);
  else if (kind === Kind.imm8_const_1) {
    instruction.setOpKind(index, OpKind.Immediate8);
    instruction.setImmediateU32(index, 1);
  } else if (branches.has(kind)) setBranch(attempt, index);
  else if (kind === Kind.seg_rSI || kind === Kind.es_rDI || kind === Kind.seg_rDI)
    instruction.setOpKind(index, implicitMemory[kind][width]);
  else if (kind === Kind.mem_offs) {
    instruction.setOpKind(index, OpKind.Memory);
    instruction.memoryDisplSize = width / 8;
    instruction.memoryDisplacement = 0x20000a30n;
  } else if (kind === Kind.seg_rBX_al) {
    instruction.setOpKind(index, OpKind.Memory);
    instruction.memoryBase = width === 64 ? Register.RBX : Register.EBX;
    instruction.memoryIndex = Register.AL;
  } else return false;
  return true;
}

function setOperand(attempt: Attempt, index: number, kind: Kind): boolean {
  const { instruction, memory } = attempt;
  const pool = registerKinds.get(kind);
  const fixed = fixedRegisters.get(kind);
  if (memoryKinds.has(kind) && (memory || !pool)) setMemory(attempt, index);
  else if (pool) setRegister(attempt, index, pool);
  else if (fixed !== undefined) {
    instruction.setOpKind(index, OpKind.Register);
    instruction.setOpRegister(index, fixed);
  } else return setOther(attempt, index, kind);
  return true;
}

/** The instruction with its bytes; undefined where the operands cannot be encoded together. */
function attempt(
  plan: CodePlan,
  variant: number,
  rip: bigint,
  draw: Random,
): { instruction: Instruction; bytes: Uint8Array } | undefined {
  const { code, width, name } = plan;
  const info = CodeExt.opCode(code);
  const kinds = operandKinds(code);
  const instruction = new Instruction();
  instruction.code = code;
  const attempted: Attempt = {
    ...{ instruction, width, random: draw, name, rip },
    memory: variant % 2 === 1,
    sameRegister: variant % 16 === 2,
  };
  if (!kinds.every((kind, index) => setOperand(attempted, index, kind))) return undefined;
  const toMemory = kinds[0] !== undefined && memoryKinds.has(kinds[0]) && attempted.memory;
  if (info.canUseLockPrefix && toMemory && chance(draw, 20)) instruction.hasLockPrefix = true;
  if (info.canUseRepPrefix || info.canUseRepnePrefix) setRepeat(instruction, name, variant);
  const bytes = encode(instruction, width, rip);
  instruction.free();
  info.free();
  return bytes && withPrefixes(plan, bytes, rip, draw);
}

function setRepeat(instruction: Instruction, name: string, variant: number): void {
  if (!/^(Movs|Stos|Lods|Cmps|Scas)[bwdq]_/.test(name) || variant === 0) return;
  if (/^(Cmps|Scas)/.test(name) && variant % 2 === 0) instruction.hasRepnePrefix = true;
  else instruction.hasRepePrefix = true;
}

function encode(instruction: Instruction, width: CpuWidth, rip: bigint): Uint8Array | undefined {
  const encoder = new Encoder(width);
  try {
    encoder.encode(instruction, rip);
    return encoder.takeBuffer();
  } catch {
    return undefined; // ah with a REX prefix, a displacement without a base …
  } finally {
    encoder.free();
  }
}

function decode(bytes: Uint8Array, width: CpuWidth, rip: bigint): Instruction {
  const decoder = new Decoder(width, bytes, DecoderOptions.None);
  decoder.ip = rip;
  const instruction = decoder.decode();
  decoder.free();
  return instruction;
}

const usesMemory = (instruction: Instruction): boolean =>
  instruction.memorySegment !== Register.None &&
  Array.from({ length: instruction.opCount }, (_, i) => instruction.opKind(i)).includes(
    OpKind.Memory,
  );

/** A segment prefix: those that have no base, and the one that has. */
function drawPrefix(
  instruction: Instruction,
  { width, variation }: CodePlan,
  draw: Random,
): number | undefined {
  if (variation !== 'usual' || !usesMemory(instruction) || chance(draw, 85)) return undefined;
  // On x86-32 cs may not be written.
  return pick(
    draw,
    width === 64 ? [0x26, 0x2e, 0x36, 0x3e, 0x65, 0x65, 0x65] : [0x26, 0x36, 0x3e, 0x64, 0x64],
  );
}

/** Prefixes that change no opcode; where they would, or spoil the length, the bytes stay as they are. */
function withPrefixes(
  plan: CodePlan,
  bytes: Uint8Array,
  rip: bigint,
  draw: Random,
): { instruction: Instruction; bytes: Uint8Array } {
  const { code, width } = plan;
  const plain = decode(bytes, width, rip);
  const prefix = drawPrefix(plain, plan, draw);
  if (prefix === undefined || bytes.length > 14) return { instruction: plain, bytes };
  const longer = Uint8Array.of(prefix, ...bytes);
  // What is relative to rip has moved by the prefix's length.
  const instruction = decode(longer, width, rip);
  if (instruction.code === code) return { instruction, bytes: longer };
  instruction.free();
  return { instruction: plain, bytes };
}

/** Seeds of all forms begin with this; another gives other vectors. */
const SEED = 2;

/** The form of that number of an opcode, at the place of number `index` in its group; undefined where no operands were found. */
export function drawForm(plan: CodePlan, variant: number, index: number): Form | undefined {
  const { width, name, variation, group, mnemonic, cases } = plan;
  const seed = seedOf(`${SEED} ${width} ${name} ${variation} ${variant}`);
  const draw = random(seed);
  const rip = slotAddress(index);
  for (let tries = 0; tries < 20; tries++) {
    const made = attempt(plan, variant, rip, draw);
    if (made) return { plan, group, mnemonic, code: name, ...made, rip, seed, cases };
  }
  return undefined;
}
