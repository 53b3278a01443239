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
import { storeRows } from './rows/store.ts';

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

  // Descriptors 0, 1 and 2 are the console. read parks the thread until a byte is there, unless O_NONBLOCK (-EAGAIN); 0
  // is the end of input. A short count is allowed.
  minios_read: row(
    'ssize_t minios_read(int fd, void *buf, size_t count)',
    ({ posix }, fd, buf, count) => posix.read(fd, buf, count),
  ),
  minios_write: row(
    'ssize_t minios_write(int fd, const void *buf, size_t count)',
    ({ posix }, fd, buf, count) => posix.write(fd, buf, count),
  ),
  minios_close: row('int minios_close(int fd)', ({ posix }, fd) => posix.close(fd)),
  // 1 console, 2 file, 3 directory (MINIOS_FD_* of mini-os/posix.h), -EBADF where it is not open.
  minios_fd_kind: row('int minios_fd_kind(int fd)', ({ posix }, fd) => posix.kind(fd)),
  // whence 0 from the start, 1 from here, 2 from the end; -ESPIPE for a console. 0, and the new position in *result.
  minios_lseek: row(
    'int minios_lseek(int fd, int64_t offset, int whence, int64_t *result)',
    ({ posix }, fd, offset, whence, result) => posix.seek(fd, offset, whence, result),
  ),
  // 1 where the person's side of the console is a terminal, else 0.
  minios_isatty: row('int minios_isatty(int fd)', ({ posix }, fd) => posix.isTerminal(fd)),
  // F_DUPFD 0 (lowest free descriptor >= arg), F_GETFL 3, F_SETFL 4 (O_APPEND 8 and O_NONBLOCK 0x4000 alone change);
  // any other command is -EINVAL.
  minios_fcntl: row('int minios_fcntl(int fd, int cmd, int arg)', ({ posix }, fd, cmd, arg) =>
    posix.control(fd, cmd, arg),
  ),
  // Closes `to` where it is open, then makes it share the open file of `from`; returns `to`.
  minios_dup2: row('int minios_dup2(int from, int to)', ({ posix }, from, to) =>
    posix.duplicateTo(from, to),
  ),
  // poll of POSIX (POLLIN 1, POLLPRI 2, POLLOUT 4, POLLERR 8, POLLHUP 16, POLLNVAL 32; struct pollfd of <poll.h> is
  // {int fd; short events, revents}): parks until one is ready or the time is over (-1 never); a file is always ready.
  minios_poll: row(
    'int minios_poll(struct pollfd *fds, unsigned count, int milliseconds)',
    ({ posix }, fds, count, milliseconds) => posix.poll(fds, count, milliseconds),
  ),

  // Files live in memory under one root, `/`, which holds an empty directory /tmp at the start; a relative path begins at
  // `/`. Returns the lowest free descriptor. A new file gets the permissions of mode but 022. flags: O_WRONLY 1, O_RDWR 2, O_APPEND 8, O_CREAT 0x200, O_TRUNC 0x400, O_EXCL 0x800,
  // O_NONBLOCK 0x4000. -ENOENT, -EEXIST, -EISDIR, -ENOTDIR, -EMFILE.
  minios_open: row(
    'int minios_open(const char *path, int flags, int mode)',
    ({ posix }, path, flags, mode) => posix.open(path, flags, mode),
  ),
  minios_stat: row(
    'int minios_stat(const char *path, struct minios_stat *result)',
    ({ posix }, path, result) => posix.status(path, result),
  ),
  minios_fstat: row(
    'int minios_fstat(int fd, struct minios_stat *result)',
    ({ posix }, fd, result) => posix.statusOf(fd, result),
  ),
  minios_ftruncate: row('int minios_ftruncate(int fd, int64_t length)', ({ posix }, fd, length) =>
    posix.truncate(fd, length),
  ),
  // The lowest 12 bits of mode. One user may do everything, whatever they say.
  minios_chmod: row('int minios_chmod(const char *path, int mode)', ({ posix }, path, mode) =>
    posix.setPermissions(path, mode),
  ),
  minios_fchmod: row('int minios_fchmod(int fd, int mode)', ({ posix }, fd, mode) =>
    posix.setPermissionsOf(fd, mode),
  ),
  minios_utime: row(
    'int minios_utime(const char *path, int64_t mtime_ns)',
    ({ posix }, path, time) => posix.setModified(path, time),
  ),
  // An unlinked file lives on while a descriptor has it open; -EISDIR for a directory.
  minios_unlink: row('int minios_unlink(const char *path)', ({ posix }, path) =>
    posix.unlink(path),
  ),
  minios_rename: row('int minios_rename(const char *from, const char *to)', ({ posix }, from, to) =>
    posix.rename(from, to),
  ),
  // Length of the path with its NUL, which it writes to buf; -ERANGE where size is less.
  minios_getcwd: row('int minios_getcwd(char *buf, size_t size)', ({ posix }, buf, size) =>
    posix.workingDirectory(buf, size),
  ),

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
  // mini-os/time.h: clock 1 as a value; what wakeup_time of a thread is compared with.
  monotonic_clock: row('uint64_t monotonic_clock(void)', ({ clocks }) => clocks.monotonic()),

  // mini-os/sched.h. The kernel copies name's pointer, not its text. A new thread is runnable and begins at the next
  // schedule; where its function returns, it ends as by exit_thread. NULL where there is no memory.
  create_thread: row(
    'struct thread *create_thread(char *name, void (*function)(void *), void *data)',
    ({ threads }, name, entry, data) => threads.create(name, entry, data),
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
  ...eventRows,
  ...grantRows,
  ...memoryRows,
  ...mappingRows,
  ...storeRows,
} as const satisfies Readonly<Record<string, ApiFunction | ApiData>>;
