/**
 * Threads beyond Mini-OS's own calls, which is what POSIX threads (toolchain/sysroot/src/pthread-*.c) need of the kernel, and what
 * the domain is.
 */
import { row } from '../row.ts';

const longestName = 256;

export const threadRows = {
  // As create_thread, with a stack of that size in bytes: the kernel's, a page that faults below it, where stack is NULL, else the
  // caller's memory from there on.
  minios_create_thread: row(
    'struct thread *minios_create_thread(char *name, void (*function)(void *), void *data, void *stack, size_t size)',
    ({ threads }, name, entry, data, stack, stackSize) =>
      threads.create({ name, entry, data, stackSize, ...(stack !== 0n && { stack }) }),
  ),
  // The call that the thread waits in, where it is in one that has errors, ends with -EINTR. -ESRCH.
  minios_interrupt_thread: row(
    'int minios_interrupt_thread(struct thread *thread)',
    ({ threads }, thread) => {
      const found = threads.at(thread);
      found.isInterrupted = found.pending !== undefined;
      return 0;
    },
  ),
  // For how long it has run. -ESRCH.
  minios_thread_clock_ns: row(
    'int minios_thread_clock_ns(struct thread *thread, int64_t *nanoseconds)',
    ({ threads, memory }, thread, nanoseconds) => {
      memory.writeU64(nanoseconds, threads.at(thread).ran);
      return 0;
    },
  ),
  // Bytes of its stack. -ESRCH.
  minios_stack_size: row('long minios_stack_size(struct thread *thread)', ({ threads }, thread) => {
    const { high, low } = threads.at(thread).stack;
    return high - low;
  }),
  // The domain's name, or the last of its image's path, at most size bytes with its NUL; the length without it.
  minios_domain_name: row(
    'int minios_domain_name(char *buf, size_t size)',
    ({ name, memory }, buf, size) => {
      const most = Math.min(Number(size), longestName);
      const bytes = new TextEncoder()
        .encode(name.replace(/^.*\//, ''))
        .subarray(0, Math.max(0, most - 1));
      if (most > 0) memory.writeBytes(buf, Uint8Array.of(...bytes, 0));
      return bytes.length;
    },
  ),
} as const;
