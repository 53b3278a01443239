/** All instructions: the tables of this folder, joined. */
import type { InstructionTable, Semantics } from '../semantics.ts';
import { aes } from './aes.ts';
import { arithmetic } from './arithmetic.ts';
import { bits } from './bit.ts';
import { bmi } from './bmi.ts';
import { controlTransfer } from './control-transfer.ts';
import { cpuid } from './cpuid.ts';
import { dataTransfer } from './data-transfer.ts';
import { decimal } from './decimal.ts';
import { exchange } from './exchange.ts';
import { flagControl } from './flag-control.ts';
import { logic } from './logic.ts';
import { mmx } from './mmx.ts';
import { multiplyDivide } from './multiply-divide.ts';
import { privileged } from './privileged.ts';
import { rotates } from './rotate.ts';
import { shifts } from './shift.ts';
import { sse } from './sse.ts';
import { sse2 } from './sse2.ts';
import { sse3 } from './sse3.ts';
import { sse41 } from './sse41.ts';
import { sse42 } from './sse42.ts';
import { ssse3 } from './ssse3.ts';
import { stack } from './stack.ts';
import { strings } from './string.ts';
import { system } from './system.ts';
import { x87Arithmetic } from './x87-arithmetic.ts';
import { x87Comparison } from './x87-comparison.ts';
import { x87Constants } from './x87-constants.ts';
import { x87Control } from './x87-control.ts';
import { x87DataTransfer } from './x87-data-transfer.ts';
import { x87Environment } from './x87-environment.ts';
import { x87Transcendental } from './x87-transcendental.ts';

/** Each table by its file. */
export const tables: readonly InstructionTable[] = [
  aes,
  arithmetic,
  bits,
  bmi,
  controlTransfer,
  cpuid,
  dataTransfer,
  decimal,
  exchange,
  flagControl,
  logic,
  mmx,
  multiplyDivide,
  privileged,
  rotates,
  shifts,
  sse,
  sse2,
  sse3,
  sse41,
  sse42,
  ssse3,
  stack,
  strings,
  system,
  x87Arithmetic,
  x87Comparison,
  x87Constants,
  x87Control,
  x87DataTransfer,
  x87Environment,
  x87Transcendental,
];

/** One table of all rows; a row that two tables have is an error. */
export function join(parts: readonly InstructionTable[]): ReadonlyMap<string, Semantics> {
  const rows = new Map<string, Semantics>();
  for (const [name, row] of parts.flatMap((part) => Object.entries(part))) {
    if (rows.has(name)) throw new TypeError(`x86: two rows for ${name}`);
    rows.set(name, row);
  }
  return rows;
}

/** By mnemonic in capitals, or by the form's whole name where a mnemonic has two meanings. */
export const instructions: ReadonlyMap<string, Semantics> = join(tables);
