/**
 * Signals as Linux numbers and lays them out for x86 (asm/signal.h, asm/siginfo.h, asm/sigcontext.h, asm/ucontext.h); the sysroot's
 * sys/signal.h and sys/ucontext.h say the same to C.
 */
import { array, byWidth, i32, pointer, struct, u32, u64 } from '../../memory/layout.ts';

// biome-ignore format: a table
export const SIG = {
  HUP: 1, INT: 2, QUIT: 3, ILL: 4, TRAP: 5, ABRT: 6, BUS: 7, FPE: 8, KILL: 9, USR1: 10, SEGV: 11, USR2: 12, PIPE: 13, ALRM: 14, TERM: 15,
  STKFLT: 16, CHLD: 17, CONT: 18, STOP: 19, TSTP: 20, TTIN: 21, TTOU: 22, URG: 23, XCPU: 24, XFSZ: 25, VTALRM: 26, PROF: 27,
  WINCH: 28, IO: 29, PWR: 30, SYS: 31,
} as const;

/** Signals from here on are queued; 32 and 33 are the C library's own on Linux. */
export const SIGRTMIN = 34;
export const NSIG = 65;

/** Bit n - 1 is signal n. */
export const bit = (signal: number): bigint => 1n << BigInt(signal - 1);
export const bits = (...signals: readonly number[]): bigint =>
  signals.reduce((set, signal) => set | bit(signal), 0n);

export const allSignals = (1n << 64n) - 1n;
/** No mask holds them back, and nothing handles them. */
export const unblockable = bits(SIG.KILL, SIG.STOP);
/** Raised by an instruction; they go before others. */
export const synchronous = bits(SIG.SEGV, SIG.BUS, SIG.ILL, SIG.TRAP, SIG.FPE, SIG.SYS);
export const stopping = bits(SIG.STOP, SIG.TSTP, SIG.TTIN, SIG.TTOU);
/** Without a handler nothing comes of them. Nobody could continue a domain that has stopped, so stopping is nothing either. */
export const ignoredByDefault = bits(SIG.CHLD, SIG.CONT, SIG.URG, SIG.WINCH) | stopping;
/** Those that leave a core file on Linux. */
export const withCore =
  bits(SIG.QUIT, SIG.ILL, SIG.TRAP, SIG.ABRT, SIG.BUS, SIG.FPE, SIG.SEGV) |
  bits(SIG.XCPU, SIG.XFSZ, SIG.SYS);

export function signalName(signal: number): string {
  const found = Object.entries(SIG).find(([, number]) => number === signal);
  if (found !== undefined) return `SIG${found[0]}`;
  return signal === SIGRTMIN ? 'SIGRTMIN' : `SIGRTMIN+${signal - SIGRTMIN}`;
}

export const SIG_DFL = 0n;
export const SIG_IGN = 1n;

export const SA = {
  ONSTACK: 0x0800_0000,
  RESTART: 0x1000_0000,
  NODEFER: 0x4000_0000,
  RESETHAND: 0x8000_0000,
} as const;

/** Of our own (mini-os/posix.h): no wait ends because the handler has run. */
export const MINIOS_SA_ASIDE = 0x0100_0000;

export const SIG_HOW = { BLOCK: 0, UNBLOCK: 1, SETMASK: 2 } as const;
export const SS = { ONSTACK: 1, DISABLE: 2 } as const;
/** The least that sigaltstack takes. */
export const MINSIGSTKSZ = 2048n;

export const SI = { USER: 0, KERNEL: 0x80, QUEUE: -1, TIMER: -2, TKILL: -6 } as const;
export const FPE = { INTDIV: 1, FLTDIV: 3, FLTOVF: 4, FLTUND: 5, FLTRES: 6, FLTINV: 7 } as const;
export const ILL_ILLOPN = 2;
export const SEGV = { MAPERR: 1, ACCERR: 2 } as const;
export const BUS_ADRALN = 1;
export const TRAP_BRKPT = 1;

/** newlib's has no restorer, and a set of 64 signals. */
export const sigaction = struct('sigaction', {
  sa_handler: pointer,
  sa_mask: u64,
  sa_flags: u32, // SA
});

export const stack_t = struct('stack_t', {
  ss_sp: pointer,
  ss_flags: i32, // SS
  ss_size: pointer,
});

/** si_signo, si_errno and si_code; what follows is by kind. */
export const siginfoHead = struct('siginfo_t', { si_signo: i32, si_errno: i32, si_code: i32 });
export const siginfoSize = 128;
export const siginfoFields = { 64: 16, 32: 12 } as const;

/** kill, sigqueue. */
export const siginfoSent = struct('_sigfault', { si_pid: i32, si_uid: u32, si_value: pointer });
export const siginfoTimer = struct('_timer', { si_tid: i32, si_overrun: i32, si_value: pointer });
export const siginfoFault = struct('_sigfault', { si_addr: pointer });

/** sys/ucontext.h: places in gregs. The names of x86-32 are those of the same registers. */
// biome-ignore format: a table
export const REG = {
  64: { R8: 0, R9: 1, R10: 2, R11: 3, R12: 4, R13: 5, R14: 6, R15: 7, RDI: 8, RSI: 9, RBP: 10, RBX: 11, RDX: 12, RAX: 13, RCX: 14,
        RSP: 15, RIP: 16, EFL: 17, CSGSFS: 18, ERR: 19, TRAPNO: 20, OLDMASK: 21, CR2: 22 },
  32: { GS: 0, FS: 1, ES: 2, DS: 3, EDI: 4, ESI: 5, EBP: 6, ESP: 7, EBX: 8, EDX: 9, ECX: 10, EAX: 11, TRAPNO: 12, ERR: 13, EIP: 14,
        CS: 15, EFL: 16, UESP: 17, SS: 18 },
} as const;

/** As far as the kernel writes it; C libraries have more behind it. */
export const ucontext = struct('ucontext_t', {
  uc_flags: pointer,
  uc_link: pointer,
  uc_stack: stack_t,
  gregs: byWidth({ 64: array(pointer, 23), 32: array(pointer, 19) }),
  fpregs: pointer,
  /** x86-64: __reserved; x86-32: oldmask, and cr2. */
  rest: byWidth({ 64: array(pointer, 8), 32: array(pointer, 2) }),
  uc_sigmask: u64,
});

/** UC_SIGCONTEXT_SS and UC_STRICT_RESTORE_SS, without UC_FP_XSTATE: no more is saved than FXSAVE does. */
export const ucFlags = { 64: 6n, 32: 0n } as const;

export const ITIMER = { REAL: 0, VIRTUAL: 1, PROF: 2 } as const;
export const SIGEV = { SIGNAL: 0, NONE: 1, THREAD: 2, THREAD_ID: 4 } as const;
export const TIMER_ABSTIME = 4;
