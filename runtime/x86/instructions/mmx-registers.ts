/** MM0 to MM7, which are the significands of the x87's physical registers (SDM vol. 1, 9.2.1 and vol. 3, 12.2). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { SpecialOperand } from '../../ir/operand.ts';
import type { Value } from '../../ir/value.ts';
import { vectors } from '../semantics.ts';
import { cpuState } from '../state.ts';

const place = ({ file, index }: SpecialOperand): number => {
  if (file !== 'mm') throw new TypeError(`${file} ${index} is no MMX register`);
  return cpuState.fpu + index * 16;
};

/** A pending x87 exception is raised before anything else (SDM vol. 3, 12.5). */
export const checkPending = (b: Builder): void =>
  b.raiseIf(v.bit(b.loadCpu(cpuState.fpuStatus, 32), 7), vectors.MF);

/** Every MMX instruction but EMMS leaves all x87 registers valid and TOP 0. */
export function enterMmx(b: Builder): void {
  b.storeCpu(cpuState.fpuTop, v.constant(32, 0));
  b.storeCpu(cpuState.fpuTags, v.constant(32, 0xff));
}

export const readMmx = (b: Builder, operand: SpecialOperand): Value =>
  b.loadCpu(place(operand), 64);

/** Sign and exponent become all ones. */
export function writeMmx(b: Builder, operand: SpecialOperand, value: Value): void {
  b.storeCpu(place(operand), value);
  b.storeCpu(place(operand) + 8, v.constant(16, 0xffff));
  enterMmx(b);
}
