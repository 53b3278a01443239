/** Sets of guest registers, one bit each by number. RSP travels as parameter and result, and is in none. */
import { RSP } from '../../x86/registers.ts';

export type RegisterSet = number;

export const bitOf = (register: number): RegisterSet => (register === RSP ? 0 : 1 << register);

export function registersIn(set: RegisterSet): number[] {
  const registers: number[] = [];
  for (let rest = set & ~(1 << RSP); rest !== 0; rest &= rest - 1)
    registers.push(31 - Math.clz32(rest & -rest));
  return registers;
}
