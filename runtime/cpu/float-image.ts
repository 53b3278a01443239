/**
 * x87 and SSE state of a saved context as FXSAVE lays it out (SDM vol. 1, table 10-2), and as FNSAVE does with 32-bit fields (figure
 * 8-9), for kernels that show it to a guest in memory.
 */
import { XMM0 } from '../x86/registers.ts';
import { cpuState, registerOffset } from '../x86/state.ts';

export const fxsaveSize = 512;
/** Environment and eight registers. */
export const fnsaveSize = 108;

const registersAt = 32;
const xmmAt = 160;
const environmentSize = 28;
const mxcsrMask = 0xffff;
/** IE, DE, ZE, OE, UE and PE, in status and control word alike. */
const exceptions = 0x3f;
const topBits = 0x3800;
/** Of the control word: what a guest may set, and what is always 1. */
const controlBits = 0x1f3f;
const controlFixed = 0x40;
/** ES and B, which follow from the others. */
const summary = 0x8080;
const wordReserved = 0xffff_0000;
const st: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7];

type Mode = 64 | 32;

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const registerAt = (top: number, i: number): number => cpuState.fpu + 16 * ((top + i) & 7);

const statusOf = (context: DataView): number =>
  (context.getUint16(cpuState.fpuStatus, true) & ~topBits) |
  ((context.getUint8(cpuState.fpuTop) & 7) << 11);

export function fxsaveImage(context: Uint8Array, mode: Mode): Uint8Array {
  const image = new Uint8Array(fxsaveSize);
  const [from, to] = [viewOf(context), viewOf(image)];
  const top = from.getUint8(cpuState.fpuTop);
  to.setUint16(0, from.getUint16(cpuState.fpuControl, true), true);
  to.setUint16(2, statusOf(from), true);
  to.setUint8(4, from.getUint8(cpuState.fpuTags));
  to.setUint16(6, from.getUint16(cpuState.fpuOpcode, true), true);
  to.setBigUint64(8, from.getBigUint64(cpuState.fpuInstruction, true), true);
  to.setBigUint64(16, from.getBigUint64(cpuState.fpuOperand, true), true);
  to.setUint32(24, from.getUint32(cpuState.mxcsr, true), true);
  to.setUint32(28, mxcsrMask, true);
  for (const i of st) copy(context, registerAt(top, i), image, registersAt + 16 * i, 10);
  const xmm = mode === 64 ? 16 : 8;
  copy(context, registerOffset(XMM0), image, xmmAt, 16 * xmm);
  return image;
}

/** Into the context; reserved bits that a guest has set are cleared, where FXRSTOR would raise #GP. */
export function applyFxsaveImage(image: Uint8Array, context: Uint8Array, mode: Mode): void {
  const [from, to] = [viewOf(image), viewOf(context)];
  setControlAndStatus(to, from.getUint16(0, true), from.getUint16(2, true));
  const top = to.getUint8(cpuState.fpuTop);
  to.setUint32(cpuState.fpuTags, from.getUint8(4), true);
  to.setUint32(cpuState.fpuOpcode, from.getUint16(6, true) & 0x7ff, true);
  to.setBigUint64(cpuState.fpuInstruction, from.getBigUint64(8, true), true);
  to.setBigUint64(cpuState.fpuOperand, from.getBigUint64(16, true), true);
  to.setUint32(cpuState.mxcsr, from.getUint32(24, true) & mxcsrMask, true);
  for (const i of st) copy(image, registersAt + 16 * i, context, registerAt(top, i), 10);
  const xmm = mode === 64 ? 16 : 8;
  copy(image, xmmAt, context, registerOffset(XMM0), 16 * xmm);
}

export function fnsaveImage(context: Uint8Array): Uint8Array {
  const image = new Uint8Array(fnsaveSize);
  const [from, to] = [viewOf(context), viewOf(image)];
  const top = from.getUint8(cpuState.fpuTop);
  const words = [
    from.getUint16(cpuState.fpuControl, true) | wordReserved,
    statusOf(from) | wordReserved,
    fullTags(context) | wordReserved,
    from.getUint32(cpuState.fpuInstruction, true),
    (from.getUint16(cpuState.fpuOpcode, true) & 0x7ff) << 16,
    from.getUint32(cpuState.fpuOperand, true),
    wordReserved,
  ];
  for (const [i, word] of words.entries()) to.setUint32(4 * i, word, true);
  for (const i of st) copy(context, registerAt(top, i), image, environmentSize + 10 * i, 10);
  return image;
}

export function applyFnsaveImage(image: Uint8Array, context: Uint8Array): void {
  const [from, to] = [viewOf(image), viewOf(context)];
  setControlAndStatus(to, from.getUint16(0, true), from.getUint16(4, true));
  const top = to.getUint8(cpuState.fpuTop);
  const tags = from.getUint16(8, true);
  to.setUint32(
    cpuState.fpuTags,
    st.reduce((held, i) => held | (((tags >> (2 * i)) & 3) === 3 ? 0 : 1 << i), 0),
    true,
  );
  to.setBigUint64(cpuState.fpuInstruction, BigInt(from.getUint32(12, true)), true);
  to.setUint32(cpuState.fpuOpcode, from.getUint16(18, true) & 0x7ff, true);
  to.setBigUint64(cpuState.fpuOperand, BigInt(from.getUint32(20, true)), true);
  for (const i of st) copy(image, environmentSize + 10 * i, context, registerAt(top, i), 10);
}

function setControlAndStatus(context: DataView, control: number, status: number): void {
  const raised = (status & ~control & exceptions) !== 0;
  context.setUint32(cpuState.fpuControl, (control & controlBits) | controlFixed, true);
  context.setUint32(
    cpuState.fpuStatus,
    (status & ~(topBits | summary)) | (raised ? summary : 0),
    true,
  );
  context.setUint32(cpuState.fpuTop, (status & topBits) >> 11, true);
}

/** Two bits a register: valid, zero, special, empty (SDM vol. 1, 8.1.7). */
function fullTags(context: Uint8Array): number {
  const view = viewOf(context);
  const held = view.getUint8(cpuState.fpuTags);
  return st.reduce((tags, i) => {
    const at = cpuState.fpu + 16 * i;
    const exponent = view.getUint16(at + 8, true) & 0x7fff;
    const significand = view.getBigUint64(at, true);
    return tags | (tagOf((held & (1 << i)) !== 0, exponent, significand) << (2 * i));
  }, 0);
}

function tagOf(isHeld: boolean, exponent: number, significand: bigint): number {
  if (!isHeld) return 3;
  if (exponent === 0 && significand === 0n) return 1;
  const isNormal = exponent !== 0 && exponent !== 0x7fff && significand >> 63n === 1n;
  return isNormal ? 0 : 2;
}

const copy = (from: Uint8Array, at: number, to: Uint8Array, toAt: number, bytes: number): void => {
  to.set(from.subarray(at, at + bytes), toAt);
};
