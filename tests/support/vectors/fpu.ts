/** x87 and MMX state to run an instruction in (SDM vol. 1, 8.1), and the images that FLDENV, FRSTOR and FXRSTOR read. */
import { Register, RegisterExt, type UsedRegister } from 'iced-x86';
import type { Random } from '../random.ts';
import type { Drawing } from './drawing.ts';
import { chance, float, float80, integer, pick, randomBits } from './values.ts';

/** All exceptions masked; extended precision and to nearest in most cases, since the control word is where the rest differ. */
export function drawControl(random: Random): number {
  if (chance(random, 55)) return 0x37f;
  const precision = pick(random, [0x000, 0x200, 0x300]);
  return 0x7f | precision | (random.below(4) << 10);
}

const conditionCodes = (random: Random): number => random.u32() & 0x4700;

/** F2XM1 and FYL2XP1 are defined on a small interval only. */
function smallOperand(random: Random, mnemonic: string): bigint {
  const sign = BigInt(random.below(2)) << 79n;
  if (chance(random, 12)) return sign;
  const exponent = BigInt(0x3fff - (mnemonic === 'F2xm1' ? 1 : 3) - random.below(66));
  return sign | (exponent << 64n) | (1n << 63n) | randomBits(random, 63);
}

function stackValue({ form, random, recent }: Drawing, index: number): bigint {
  if (index === 0 && /^(F2xm1|Fyl2xp1)$/.test(form.mnemonic))
    return smallOperand(random, form.mnemonic);
  if (recent.length > 0 && chance(random, 12)) return pick(random, recent);
  const value = float(random, float80);
  recent.push(value);
  return value;
}

/** What an instruction reads from the stack; iced-x86 does not say that the transcendental ones need their operand. */
function stackOperands({ form }: Drawing, registers: readonly UsedRegister[]): Set<number> {
  const operands = registers.filter(({ register }) => RegisterExt.isST(register));
  const indices = new Set(operands.map(({ register }) => register - Register.ST0));
  if (/^F(ld|ild|bld|nop|nclex|ninit|nstsw|nstcw|ldcw|nstenv|ldenv)/.test(form.mnemonic))
    indices.delete(0);
  else indices.add(0);
  return indices;
}

function drawStack(drawing: Drawing, registers: readonly UsedRegister[]): void {
  const { state, random } = drawing;
  const valid = stackOperands(drawing, registers);
  if (chance(random, 30)) valid.add(0);
  if (chance(random, 30)) valid.add(1);
  // A stack fault: an operand that is empty, or no room for a push.
  if (chance(random, 6)) valid.delete(pick(random, [0, 1]));
  if (chance(random, 6)) valid.add(7);
  const top = random.below(8);
  for (const index of valid) {
    state.fpu.registers[index] = stackValue(drawing, index);
    state.fpu.tag |= 1 << ((top + index) & 7);
  }
  state.fpu.status = (top << 11) | conditionCodes(random);
}

function drawMmx({ state, random }: Drawing, registers: readonly UsedRegister[]): void {
  state.fpu.tag = chance(random, 80) ? 0xff : 0;
  const wide = pick(random, [8, 16, 32, 64]);
  for (const { register } of registers) {
    if (!RegisterExt.isMM(register)) continue;
    let value = 0n;
    for (let at = 0; at < 64; at += wide) value |= integer(random, wide) << BigInt(at);
    state.fpu.registers[register - Register.MM0] = (0xffffn << 64n) | value;
    state.fpu.tag |= 1 << (register - Register.MM0);
  }
}

const SUMMARY = 0x8080; // ES and B

export function drawFpu(
  drawing: Drawing,
  registers: readonly UsedRegister[],
  unmasked: boolean,
): void {
  const { state, random, form } = drawing;
  state.fpu.control = drawControl(random);
  if (form.group === 'mmx') {
    drawMmx(drawing, registers);
    return;
  }
  drawStack(drawing, registers);
  if (unmasked) state.fpu.control &= ~pick(random, [0x01, 0x04, 0x08, 0x10, 0x20, 0x3f]);
  const masked = state.fpu.control & 0x3f;
  if (chance(random, 25)) state.fpu.status |= random.below(64) & masked;
  // An exception that waits for the next instruction that looks for it.
  if (unmasked && chance(random, 20)) state.fpu.status |= SUMMARY | (~masked & 0x3f);
}

const little = (value: bigint, bytes: number): string =>
  Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex')
    .reverse()
    .toString('hex');

const tenBytes = (random: Random): string => little(float(random, float80), 10);

/** What FLDENV and FRSTOR read, in the format of 16- or 32-bit protected mode (SDM vol. 1, figures 8-9 and 8-11). */
export function environmentBytes(random: Random, name: string): string {
  const field = name.endsWith('14') || name.endsWith('94') ? 2 : 4;
  const status = (random.below(8) << 11) | conditionCodes(random);
  const tags = Array.from({ length: 8 }, (_, i) => (chance(random, 50) ? 3 << (2 * i) : 0));
  const tag = tags.reduce((sum, each) => sum | each, 0);
  const words = [drawControl(random), status, tag, 0, 0, 0, 0];
  const environment = words.map((word) => little(BigInt(word), field)).join('');
  if (name.startsWith('FpuEnv')) return environment;
  return environment + Array.from({ length: 8 }, () => tenBytes(random)).join('');
}

/** What FXRSTOR reads (SDM vol. 1, table 10-2). */
export function fxsaveBytes(random: Random): string {
  const status = (random.below(8) << 11) | conditionCodes(random);
  const mxcsr = 0x1f80 | (random.below(4) << 13) | random.below(64);
  const head = [
    little(BigInt(drawControl(random)), 2),
    little(BigInt(status), 2),
    little(BigInt(random.below(256)), 2),
    '00'.repeat(18),
    little(BigInt(mxcsr), 4),
    little(0xffffn, 4),
  ];
  const stack = Array.from({ length: 8 }, () => `${tenBytes(random)}${'00'.repeat(6)}`);
  const vectors = Array.from({ length: 16 }, () => little(randomBits(random, 128), 16));
  return [...head, ...stack, ...vectors, '00'.repeat(96)].join('');
}
