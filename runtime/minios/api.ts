/**
 * The Mini-OS API of an application image: one row a symbol of libminios.so. From a row come the import library, the
 * marshalling, the trace line and the check against the C headers. `minios_*` rows that can fail return a negative
 * errno (newlib's numbers); the C wrapper in toolchain/sysroot turns it into -1 and errno.
 */

import { type ApiData, type ApiFunction, type ApiRow, row } from './row.ts';
import { eventRows } from './rows/events.ts';
import { grantRows } from './rows/grants.ts';
import { mappingRows } from './rows/mappings.ts';
import { memoryRows } from './rows/memory.ts';
import { posixRows } from './rows/posix.ts';
import { signalRows } from './rows/signals.ts';
import { storeRows } from './rows/store.ts';
import { threadRows } from './rows/threads.ts';

export type { ApiData, ApiFunction, ApiRow };

const SHELL_ABORT = 134;

export const api = {
  // The running thread; written at every switch. Its struct (mini-os/sched.h) is zeroed by the kernel, then name, stack,
  // flags and wakeup_time are filled in; reent stays zero, since the C library fills it in at a thread's first use.
  minios_current: { data: 'extern struct thread *minios_current', size: { 64: 8, 32: 4 } },

  // Ends the domain with the low 8 bits of status; 134 as a shell shows an abort. Neither returns.
  minios_exit: row('void minios_exit(int status)', (kernel, status) => {
    kernel.end({ status: status & 0xff, reason: 'exit' });
    return undefined;
  }),
  minios_abort: row('void minios_abort(void)', (kernel) => {
    kernel.crash(SHELL_ABORT, 'abort()');
    return undefined;
  }),

  ...posixRows,

  // Moves the end of the heap (zeroed, page-grained mapping beneath) and returns the old end, or -ENOMEM as a pointer.
  minios_sbrk: row('void *minios_sbrk(ptrdiff_t increment)', ({ space }, increment) =>
    space.moveBreak(increment),
  ),

  // 0 realtime (since 1970, UTC), 1 monotonic (since the domain began), 2 this domain's own running time; -EINVAL.
  minios_clock_ns: row(
    'int minios_clock_ns(int clock, int64_t *nanoseconds)',
    ({ clocks, memory }, clock, nanoseconds) => {
      memory.writeU64(nanoseconds, clocks.read(clock));
      return 0;
    },
  ),
  // Of this domain alone: what clock 0 shows from now on.
  minios_set_realtime: row(
    'int minios_set_realtime(int64_t nanoseconds)',
    ({ clocks }, nanoseconds) => {
      clocks.setRealtime(nanoseconds);
      return 0;
    },
  ),
  // mini-os/time.h: clock 1 as a value; what wakeup_time of a thread is compared with.
  monotonic_clock: row('uint64_t monotonic_clock(void)', ({ clocks }) => clocks.monotonic()),

  // mini-os/sched.h. The kernel copies name's pointer, not its text. A new thread is runnable and begins at the next
  // schedule; where its function returns, it ends as by exit_thread. NULL where there is no memory.
  create_thread: row(
    'struct thread *create_thread(char *name, void (*function)(void *), void *data)',
    ({ threads }, name, entry, data) => threads.create({ name, entry, data }),
  ),
  exit_thread: row('void exit_thread(void)', (kernel) => {
    kernel.threads.exit();
    kernel.reschedule();
    return undefined;
  }),
  // Runs the next thread whose flags, in guest memory, have RUNNABLE_FLAG (1); one without it becomes runnable when its
  // wakeup_time, in guest memory, is not 0 and has come. C sets both fields itself (mini-os/wait.h). The running
  // thread may go on. With no thread runnable the domain parks.
  schedule: row('void schedule(void)', (kernel) => {
    kernel.reschedule();
    return undefined;
  }),
  // Where a function that the kernel has called returns to; never called.
  minios_callback_return: row('void minios_callback_return(void)', (kernel) => {
    if (kernel.callbacks.end()) kernel.reschedule();
    return undefined;
  }),
  // Not 0: handlers of events and completions wait. What local_irq_save of mini-os/os.h sets.
  minios_callbacks_masked: {
    data: 'extern uint32_t minios_callbacks_masked',
    size: { 64: 4, 32: 4 },
  },

  // block: wakeup_time = 0 and RUNNABLE_FLAG cleared, wake: wakeup_time = 0 and RUNNABLE_FLAG set; neither switches.
  block: row('void block(struct thread *thread)', ({ threads }, thread) => {
    threads.block(thread);
    return undefined;
  }),
  wake: row('void wake(struct thread *thread)', ({ threads }, thread) => {
    threads.wake(thread);
    return undefined;
  }),
  // Other threads run meanwhile.
  msleep: row('void msleep(uint32_t milliseconds)', (kernel, milliseconds) => {
    kernel.threads.sleep(kernel.clocks.monotonic() + BigInt(milliseconds) * 1_000_000n);
    kernel.reschedule();
    return undefined;
  }),
  ...threadRows,
  ...eventRows,
  ...grantRows,
  ...memoryRows,
  ...mappingRows,
  ...storeRows,
  ...signalRows,
} as const satisfies Readonly<Record<string, ApiFunction | ApiData>>;
