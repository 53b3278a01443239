/** What an input is drawn from, shared by the parts that draw it. */
import { type Register, RegisterExt } from 'iced-x86';
import type { CpuState, CpuWidth } from '../cpu-oracle.ts';
import type { Random } from '../random.ts';
import type { Form } from './forms.ts';

/** `recent` are values to repeat, since equal operands are a case of their own. */
export interface Drawing {
  readonly form: Form;
  readonly width: CpuWidth;
  readonly random: Random;
  readonly state: CpuState;
  readonly recent: bigint[];
}

export const numberOf = (register: Register): number =>
  RegisterExt.number(RegisterExt.fullRegister(register));

/** Register.None has a number, too. */
export const isRegister = (register: Register, number: number): boolean =>
  RegisterExt.isGPR(register) && numberOf(register) === number;
