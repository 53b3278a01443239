/** x87 and SSE registers as FXSAVE lays them out (SDM vol. 1, 10.5.1), from and to a vCPU's state block. */
import type { Width } from '../../memory/layout.ts';
import { cpuState } from '../../x86/state.ts';
import type { SystemCpu } from '../pv-cpu.ts';

type StateBytes = Pick<SystemCpu, 'readState' | 'writeState'>;

export const fxsaveBytes = 512;
/** Where each part stands in the image; ST0 to ST7 and the XMM registers have 16 bytes each. */
const at = { control: 0, status: 2, tags: 4, opcode: 6, instruction: 8, operand: 16 } as const;
const [mxcsrAt, maskAt, stackAt, vectorsAt] = [24, 28, 32, 160] as const;
const mxcsrMask = 0xffff;
const topShift = 11;
const vectorCount = { 64: 16, 32: 8 } as const;

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const word = (cpu: StateBytes, offset: number): number =>
  viewOf(cpu.readState(offset, 4)).getUint32(0, true);

const setWord = (cpu: StateBytes, offset: number, value: number): void => {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, true);
  cpu.writeState(offset, bytes);
};

/** ST(i) is a physical register by TOP. */
const registerAt = (top: number, i: number): number => cpuState.fpu + 16 * ((top + i) & 7);

export function fxsave(cpu: StateBytes, width: Width): Uint8Array {
  const image = new Uint8Array(fxsaveBytes);
  const view = viewOf(image);
  const top = word(cpu, cpuState.fpuTop);
  view.setUint16(at.control, word(cpu, cpuState.fpuControl), true);
  view.setUint16(at.status, word(cpu, cpuState.fpuStatus) | (top << topShift), true);
  view.setUint8(at.tags, word(cpu, cpuState.fpuTags));
  view.setUint16(at.opcode, word(cpu, cpuState.fpuOpcode), true);
  image.set(cpu.readState(cpuState.fpuInstruction, 8), at.instruction);
  image.set(cpu.readState(cpuState.fpuOperand, 8), at.operand);
  view.setUint32(mxcsrAt, word(cpu, cpuState.mxcsr), true);
  view.setUint32(maskAt, mxcsrMask, true);
  for (let i = 0; i < 8; i++) image.set(cpu.readState(registerAt(top, i), 10), stackAt + 16 * i);
  image.set(cpu.readState(cpuState.xmm, 16 * vectorCount[width]), vectorsAt);
  return image;
}

export function fxrstor(cpu: StateBytes, width: Width, image: Uint8Array): void {
  const view = viewOf(image);
  const status = view.getUint16(at.status, true);
  const top = (status >> topShift) & 7;
  setWord(cpu, cpuState.fpuControl, view.getUint16(at.control, true));
  setWord(cpu, cpuState.fpuStatus, status & ~(7 << topShift));
  setWord(cpu, cpuState.fpuTop, top);
  setWord(cpu, cpuState.fpuTags, view.getUint8(at.tags));
  setWord(cpu, cpuState.fpuOpcode, view.getUint16(at.opcode, true) & 0x7ff);
  cpu.writeState(cpuState.fpuInstruction, image.slice(at.instruction, at.instruction + 8));
  cpu.writeState(cpuState.fpuOperand, image.slice(at.operand, at.operand + 8));
  setWord(cpu, cpuState.mxcsr, view.getUint32(mxcsrAt, true) & mxcsrMask);
  for (let i = 0; i < 8; i++)
    cpu.writeState(registerAt(top, i), image.slice(stackAt + 16 * i, stackAt + 16 * i + 10));
  cpu.writeState(cpuState.xmm, image.slice(vectorsAt, vectorsAt + 16 * vectorCount[width]));
}
