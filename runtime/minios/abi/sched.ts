/** mini-os/sched.h: a thread, as the guest sees it. */
import { i64, pointer, struct, u32 } from '../../memory/layout.ts';

export const RUNNABLE_FLAG = 0x0000_0001;

/** STIME_MAX of mini-os/time.h: a wakeup_time that never comes. */
export const STIME_MAX = 0x7fff_ffff_ffff_ffffn;

/** Threads get this much (mini-os/x86/arch_limits.h: __STACK_SIZE). */
export const STACK_SIZE = 64 * 1024;

const thread_list = struct('MINIOS_TAILQ_ENTRY(struct thread)', {
  tqe_next: pointer,
  tqe_prev: pointer,
});

/** All but `reent`, newlib's struct _reent, and what lies behind it, which are the C library's own. */
export const thread = struct('thread', {
  name: pointer,
  stack: pointer,
  sp: pointer,
  ip: pointer,
  thread_list,
  flags: u32, // RUNNABLE_FLAG
  wakeup_time: i64, // of monotonic_clock; 0: none
});

/** sizeof(struct thread) with struct _reent and three words of the C library's behind it; compared with the recorded one in a test. */
export const threadSize = { 64: 1416, 32: 796 } as const;
