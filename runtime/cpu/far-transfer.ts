/**
 * Far CALL, JMP and RET, and IRET, between code segments of one width (SDM vol. 2, CALL, JMP, RET, IRET): at one level, and
 * returns to a less privileged one. Everything is read and checked before anything changes.
 */
import { UnsupportedError } from '../errors.ts';
import { isCanonical } from '../memory/address-space.ts';
import {
  type Descriptor,
  errorCodeOf,
  isCode,
  isConforming,
  isNull,
  isReadable,
  requested,
  segments,
} from '../x86/descriptor.ts';
import { RSP } from '../x86/registers.ts';
import { vectors } from '../x86/semantics.ts';
import { checkStack, descriptorOf } from './segments.ts';
import type { SystemContext } from './system-context.ts';

/** The code segment of a selector, or #GP. */
function codeSegment(c: SystemContext, selector: number): Descriptor {
  if (isNull(selector)) c.fault(vectors.GP, 0);
  const descriptor = descriptorOf(c, selector) ?? c.fault(vectors.GP, errorCodeOf(selector));
  if (isCode(descriptor)) return descriptor;
  const isGate = !descriptor.isMemory && [1, 4, 5, 9, 11, 12].includes(descriptor.type);
  if (isGate)
    throw new UnsupportedError(`x86: a far transfer through selector ${selector}, a gate or task`);
  return c.fault(vectors.GP, errorCodeOf(selector));
}

/** Translated code has one width. */
function checkWidth(c: SystemContext, selector: number, descriptor: Descriptor): void {
  if (!descriptor.present) c.fault(vectors.NP, errorCodeOf(selector));
  if (c.mode === 64 && descriptor.long && descriptor.big)
    c.fault(vectors.GP, errorCodeOf(selector));
  const fits = c.mode === 64 ? descriptor.long : descriptor.big && descriptor.base === 0n;
  if (!fits)
    throw new UnsupportedError(
      `x86: code selector ${selector} is of another width than ${c.mode} bits, or not flat`,
    );
}

function checkTarget(c: SystemContext, target: bigint, { limit }: Descriptor): void {
  const isInside = c.mode === 64 ? isCanonical(target) : target <= limit;
  if (!isInside) c.fault(vectors.GP, 0);
}

/** Where CALL and JMP may go: the level stays. Gives CS as it becomes. */
function checkJump(c: SystemContext, selector: number, target: bigint): number {
  const descriptor = codeSegment(c, selector);
  const { privilege } = c;
  const isOpen = isConforming(descriptor)
    ? descriptor.privilege <= privilege
    : requested(selector) <= privilege && descriptor.privilege === privilege;
  if (!isOpen) c.fault(vectors.GP, errorCodeOf(selector));
  checkWidth(c, selector, descriptor);
  checkTarget(c, target, descriptor);
  return errorCodeOf(selector) | privilege;
}

/** Where RET and IRET may go: the selector's RPL becomes the level, which is the same or less privileged. */
function checkReturn(c: SystemContext, selector: number, target: bigint): void {
  const descriptor = codeSegment(c, selector);
  const level = requested(selector);
  const isOpen =
    level >= c.privilege &&
    (isConforming(descriptor) ? descriptor.privilege <= level : descriptor.privilege === level);
  if (!isOpen) c.fault(vectors.GP, errorCodeOf(selector));
  checkWidth(c, selector, descriptor);
  checkTarget(c, target, descriptor);
}

interface Pointer {
  readonly offset: bigint;
  readonly selector: number;
  /** Of the offset. */
  readonly bytes: number;
}

/** ptr16:16, ptr16:32 in the instruction, or the offset and then the selector in memory. */
export function farPointer(c: SystemContext, index: number): Pointer {
  const operand = c.instruction.operands[index];
  if (operand?.kind === 'immediate') {
    const bits = operand.width === 64 ? 32n : 16n;
    const offset = BigInt.asUintN(Number(bits), operand.value);
    return { offset, selector: Number(operand.value >> bits), bytes: Number(bits / 8n) };
  }
  if (operand?.kind !== 'memory') throw new TypeError(`${c.instruction.code} without a pointer`);
  const bytes = operand.bytes - 2;
  const address = c.address(operand);
  const offset = c.load(address, bytes);
  return { offset, bytes, selector: Number(c.load(address + BigInt(bytes), 2)) };
}

export function jumpFar(c: SystemContext): bigint {
  const { offset, selector } = farPointer(c, 0);
  const code = checkJump(c, selector, offset);
  c.setSelector(segments.cs, code);
  return offset;
}

export function callFar(c: SystemContext): bigint {
  const { offset, selector, bytes } = farPointer(c, 0);
  const code = checkJump(c, selector, offset);
  const top = c.state.register(RSP) - BigInt(2 * bytes);
  c.store(top + BigInt(bytes), bytes, BigInt(c.selector(segments.cs)));
  c.store(top, bytes, c.instruction.next);
  c.state.setRegister(RSP, c.linear(top));
  c.setSelector(segments.cs, code);
  return offset;
}

/** Width of the stack's words by the form's name: `Retfd_imm16`, `Iretq`. */
const wordBytes = ({ instruction }: SystemContext): number => {
  const letter = /^(?:Retf|Iret)([wdq])/.exec(instruction.code)?.[1];
  return letter === 'q' ? 8 : letter === 'd' ? 4 : 2;
};

export function returnFar(c: SystemContext): bigint {
  const bytes = wordBytes(c);
  const [argument] = c.instruction.operands;
  const released = argument.kind === 'immediate' ? argument.value : 0n;
  const top = c.state.register(RSP);
  const word = (i: number, from = top): bigint => c.load(from + BigInt(i * bytes), bytes);
  const target = word(0);
  const selector = Number(word(1) & 0xffffn);
  checkReturn(c, selector, target);
  const above = top + BigInt(2 * bytes) + released;
  if (requested(selector) === c.privilege) {
    c.state.setRegister(RSP, c.linear(above));
    c.setSelector(segments.cs, selector);
    return target;
  }
  const pointer = word(0, above);
  const stack = Number(word(1, above) & 0xffffn);
  checkStack(c, stack, requested(selector));
  c.state.setRegister(RSP, c.linear(pointer + released));
  enterLevel(c, selector, stack);
  return target;
}

const nestedTask = 1n << 14n;
/** CF PF AF ZF SF TF DF OF NT, whatever the width; then RF AC ID of the wider forms. */
const wordFlags = 0x4dd5n;
const wideFlags = 0x25_4dd5n;
const interruptFlag = 0x200n;
const ioPrivilegeFlags = 0x3000n;

/**
 * In 64-bit mode RSP and SS are popped always, else where the level changes. Under Xen 32-bit guests run in long mode's compatibility
 * mode, where no task is nested in another.
 */
export function returnFromInterrupt(c: SystemContext): bigint {
  if ((c.flags & nestedTask) !== 0n) c.fault(vectors.GP, 0);
  const bytes = wordBytes(c);
  const top = c.state.register(RSP);
  const word = (i: number): bigint => c.load(top + BigInt(i * bytes), bytes);
  const [target, selector, flags] = [word(0), Number(word(1) & 0xffffn), word(2)];
  const level = requested(selector);
  const popsStack = c.mode === 64 || level > c.privilege;
  const pointer = popsStack ? word(3) : top + BigInt(3 * bytes);
  const stack = popsStack ? Number(word(4) & 0xffffn) : c.selector(segments.ss);
  checkReturn(c, selector, target);
  if (popsStack) checkStack(c, stack, level);
  const mask = changeableFlags(c, bytes);
  c.state.setRegister(RSP, c.linear(pointer));
  c.changeFlags(flags, mask);
  if (level === c.privilege) {
    c.setSelector(segments.cs, selector);
    c.setSelector(segments.ss, stack);
  } else enterLevel(c, selector, stack);
  return target;
}

function changeableFlags(c: SystemContext, bytes: number): bigint {
  const base = bytes === 2 ? wordFlags : wideFlags;
  const interrupt = c.privilege <= c.ioPrivilege ? interruptFlag : 0n;
  return base | interrupt | (c.privilege === 0 ? ioPrivilegeFlags : 0n);
}

/** Segments that the new level must not use become null (SDM vol. 2, RET). */
function enterLevel(c: SystemContext, code: number, stack: number): void {
  const level = requested(code);
  c.setSelector(segments.cs, code);
  c.setSelector(segments.ss, stack);
  for (const segment of [segments.es, segments.ds, segments.fs, segments.gs]) {
    const descriptor = descriptorOf(c, c.selector(segment));
    const isOpen =
      descriptor === undefined || isConforming(descriptor) || descriptor.privilege >= level;
    if (!isOpen && isReadable(descriptor)) c.setSelector(segment, 0);
  }
  c.environment.levelChanged?.();
}
