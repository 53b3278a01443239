/**
 * CR0.TS, with which a kernel puts off to hand x87, MMX and SSE registers on: instructions that use them raise #NM while it is
 * set (SDM vol. 3, 2.5 and 13.4.1). Recompiled code asks only once somebody has set it.
 */
import * as v from '../ir/build.ts';
import type { Builder } from '../ir/builder.ts';
import { aes } from './instructions/aes.ts';
import { mmx } from './instructions/mmx.ts';
import { sse } from './instructions/sse.ts';
import { sse2 } from './instructions/sse2.ts';
import { sse3 } from './instructions/sse3.ts';
import { sse41 } from './instructions/sse41.ts';
import { sse42 } from './instructions/sse42.ts';
import { ssse3 } from './instructions/ssse3.ts';
import { x87Arithmetic } from './instructions/x87-arithmetic.ts';
import { x87Comparison } from './instructions/x87-comparison.ts';
import { x87Constants } from './instructions/x87-constants.ts';
import { x87Control } from './instructions/x87-control.ts';
import { x87DataTransfer } from './instructions/x87-data-transfer.ts';
import { x87Environment } from './instructions/x87-environment.ts';
import { x87Transcendental } from './instructions/x87-transcendental.ts';
import { vectors } from './semantics.ts';
import { cpuState } from './state.ts';

/** In tables of SSE, but without its registers. */
const others: ReadonlySet<string> = new Set(
  'PREFETCHNTA PREFETCHT0 PREFETCHT1 PREFETCHT2 SFENCE LFENCE MFENCE MOVNTI PAUSE CLFLUSH'.split(
    ' ',
  ),
);

/** Rows of instructions that wait for the registers to be handed on. */
export const heldOff: ReadonlySet<string> = new Set(
  [
    ...[aes, mmx, sse, sse2, sse3, sse41, sse42, ssse3],
    ...[x87Arithmetic, x87Comparison, x87Constants, x87Control],
    ...[x87DataTransfer, x87Environment, x87Transcendental],
  ]
    .flatMap((table) => Object.keys(table))
    .filter((name) => !others.has(name)),
);

/** Comes before anything else that an instruction of these may raise. */
export const checkTaskSwitched = (b: Builder): void =>
  b.raiseIf(v.bit(b.loadCpu(cpuState.taskSwitched, 8), 0), vectors.NM);
