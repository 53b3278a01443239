/** Registers by number, as semantics and the state block know them: general ones in encoding order, then XMM. */
import type { Width } from '../ir/ops.ts';

/** 64-bit or 32-bit code; both run flat. */
export type Mode = 64 | 32;

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;
export const R11 = 11;
/** XMM0; the others follow. */
export const XMM0 = 16;

const names64 = 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15'.split(' ');
const names32 = 'eax ecx edx ebx esp ebp esi edi'.split(' ');

export const isVector = (register: number): boolean => register >= XMM0;

export const generalRegisters = (mode: Mode): number => (mode === 64 ? 16 : 8);

export const registerName = (register: number, mode: Mode): string =>
  isVector(register)
    ? `xmm${register - XMM0}`
    : ((mode === 64 ? names64 : names32)[register] ?? `register ${register}`);

export const registerWidth = (register: number, mode: Mode): Width =>
  isVector(register) ? 128 : mode;
