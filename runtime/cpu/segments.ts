/** Segment registers and what descriptors say: MOV, POP and LDS to LGS (SDM vol. 2, MOV), LAR LSL VERR VERW. */
import { UnsupportedError } from '../errors.ts';
import {
  type Descriptor,
  decodeDescriptor,
  errorCodeOf,
  isConforming,
  isNull,
  isReadable,
  isWritable,
  requested,
  segments,
} from '../x86/descriptor.ts';
import { vectors } from '../x86/semantics.ts';
import { cpuState } from '../x86/state.ts';
import type { SystemContext } from './system-context.ts';

/** The descriptor of a selector that is not null; undefined beyond the table. */
export function descriptorOf(c: SystemContext, selector: number): Descriptor | undefined {
  const word = isNull(selector) ? undefined : c.environment.descriptor(selector);
  return word === undefined ? undefined : decodeDescriptor(word);
}

/** SS of a privilege level; throws as MOV does. A null selector may stand below level 3 in 64-bit mode. */
export function checkStack(c: SystemContext, selector: number, privilege: number): void {
  if (isNull(selector)) {
    const isAllowed = c.mode === 64 && privilege < 3 && requested(selector) === privilege;
    if (!isAllowed) c.fault(vectors.GP, 0);
    return;
  }
  const code = errorCodeOf(selector);
  const descriptor = descriptorOf(c, selector) ?? c.fault(vectors.GP, code);
  const fits =
    requested(selector) === privilege &&
    descriptor.privilege === privilege &&
    isWritable(descriptor);
  if (!fits) c.fault(vectors.GP, code);
  if (!descriptor.present) c.fault(vectors.SS, code);
  checkFlat(c, descriptor);
}

/** DS, ES, FS and GS may hold a null selector; they name data or readable code that both levels may use. */
function checkData(c: SystemContext, selector: number): Descriptor | undefined {
  if (isNull(selector)) return undefined;
  const code = errorCodeOf(selector);
  const descriptor = descriptorOf(c, selector) ?? c.fault(vectors.GP, code);
  if (!isReadable(descriptor) || !isAllowed(c, selector, descriptor)) c.fault(vectors.GP, code);
  if (!descriptor.present) c.fault(vectors.NP, code);
  return descriptor;
}

const isAllowed = (c: SystemContext, selector: number, descriptor: Descriptor): boolean =>
  isConforming(descriptor) || Math.max(c.privilege, requested(selector)) <= descriptor.privilege;

/** Only FS and GS may have a base: code is translated for flat segments, and 64-bit mode has no others. */
function checkFlat({ mode, instruction }: SystemContext, { base }: Descriptor): void {
  if (mode === 32 && base !== 0n)
    throw new UnsupportedError(
      `x86: a segment with base 0x${base.toString(16)} is loaded at 0x${instruction.address.toString(16)}; only FS and GS may have one`,
    );
}

export function loadSegment(c: SystemContext, segment: number, selector: number): void {
  if (segment === segments.ss) {
    checkStack(c, selector, c.privilege);
  } else {
    const descriptor = checkData(c, selector);
    const base = segment === segments.fs ? cpuState.fsBase : cpuState.gsBase;
    if (segment >= segments.fs) c.state.storeCpu(base, 8, descriptor?.base ?? 0n);
    else if (descriptor !== undefined) checkFlat(c, descriptor);
  }
  c.setSelector(segment, selector);
}

// LAR, LSL, VERR and VERW: ZF says whether the selector can be used so.

/** System types that LAR knows (SDM vol. 2, table 3-53), in 32-bit and in 64-bit mode. */
const rights = { 32: [1, 2, 3, 4, 5, 9, 11, 12], 64: [2, 9, 11, 12] } as const;
/** Those that have a limit (table 3-54). */
const limits = { 32: [1, 2, 3, 9, 11], 64: [2, 9, 11] } as const;

type Types = Readonly<Record<32 | 64, readonly number[]>>;

function visible(c: SystemContext, selector: number, types: Types): Descriptor | undefined {
  const descriptor = descriptorOf(c, selector);
  if (descriptor === undefined || !isAllowed(c, selector, descriptor)) return undefined;
  return descriptor.isMemory || types[c.mode].includes(descriptor.type) ? descriptor : undefined;
}

const load =
  (types: Types, value: (descriptor: Descriptor) => bigint) =>
  (c: SystemContext): void => {
    const [destination, source] = c.instruction.operands;
    const descriptor = visible(c, c.readSelector(source), types);
    if (descriptor !== undefined) c.writeRegister(destination, value(descriptor));
    c.state.setFlag('ZF', descriptor !== undefined);
  };

/** The access rights alone: the undefined bits 16 to 19 are 0. */
export const lar = load(rights, ({ high }) => BigInt(high) & 0x00f0_ff00n);
export const lsl = load(limits, ({ limit }) => limit);

const verify =
  (allows: (descriptor: Descriptor) => boolean) =>
  (c: SystemContext): void => {
    const selector = c.readSelector(c.instruction.operands[0]);
    const descriptor = descriptorOf(c, selector);
    const verified =
      descriptor !== undefined && allows(descriptor) && isAllowed(c, selector, descriptor);
    c.state.setFlag('ZF', verified);
  };

export const verr = verify(isReadable);
export const verw = verify(isWritable);
