/**
 * The Mini-OS API of an application image: one row a symbol of libminios.so. From a row come the import library, the
 * marshalling, the trace line and the check against the C headers. `minios_*` rows that can fail return a negative
 * errno (newlib's numbers); the C wrapper in toolchain/sysroot turns it into -1 and errno.
 */

export interface ApiFunction {
  /** As a C header would declare it. */
  readonly prototype: string;
}

export interface ApiData {
  /** As a C header would declare it, `extern` included; images reach it by a copy relocation. */
  readonly data: string;
  /** Bytes on x86-64 and x86-32. */
  readonly size: Readonly<Record<64 | 32, number>>;
}

export const api = {
  // The running thread; written at every switch. Its struct (mini-os/sched.h) is zeroed by the kernel, then name, stack,
  // flags and wakeup_time are filled in; reent stays zero, since the C library fills it in at a thread's first use.
  minios_current: { data: 'extern struct thread *minios_current', size: { 64: 8, 32: 4 } },

  // Ends the domain with the low 8 bits of status; 134 as a shell shows an abort. Neither returns.
  minios_exit: { prototype: 'void minios_exit(int status)' },
  minios_abort: { prototype: 'void minios_abort(void)' },

  // Descriptors 0, 1 and 2 are the console. read parks the thread until a byte is there, unless O_NONBLOCK (-EAGAIN); 0
  // is the end of input. A short count is allowed.
  minios_read: { prototype: 'ssize_t minios_read(int fd, void *buf, size_t count)' },
  minios_write: { prototype: 'ssize_t minios_write(int fd, const void *buf, size_t count)' },
  minios_close: { prototype: 'int minios_close(int fd)' },
  // 1 console, 2 file, 3 directory (MINIOS_FD_* of mini-os/posix.h), -EBADF where it is not open.
  minios_fd_kind: { prototype: 'int minios_fd_kind(int fd)' },
  // whence 0 from the start, 1 from here, 2 from the end; -ESPIPE for a console. 0, and the new position in *result.
  minios_lseek: {
    prototype: 'int minios_lseek(int fd, int64_t offset, int whence, int64_t *result)',
  },
  // 1 where the person's side of the console is a terminal, else 0.
  minios_isatty: { prototype: 'int minios_isatty(int fd)' },
  // F_DUPFD 0 (lowest free descriptor >= arg), F_GETFL 3, F_SETFL 4 (O_APPEND 8 and O_NONBLOCK 0x4000 alone change);
  // any other command is -EINVAL.
  minios_fcntl: { prototype: 'int minios_fcntl(int fd, int cmd, int arg)' },
  // Closes `to` where it is open, then makes it share the open file of `from`; returns `to`.
  minios_dup2: { prototype: 'int minios_dup2(int from, int to)' },
  // poll of POSIX (POLLIN 1, POLLPRI 2, POLLOUT 4, POLLERR 8, POLLHUP 16, POLLNVAL 32; struct pollfd of <poll.h> is
  // {int fd; short events, revents}): parks until one is ready or the time is over (-1 never); a file is always ready.
  minios_poll: {
    prototype: 'int minios_poll(struct pollfd *fds, unsigned count, int milliseconds)',
  },

  // Files live in memory under one root, `/`, which holds an empty directory /tmp at the start; a relative path begins at
  // `/`. Returns the lowest free descriptor. flags: O_WRONLY 1, O_RDWR 2, O_APPEND 8, O_CREAT 0x200, O_TRUNC 0x400, O_EXCL 0x800,
  // O_NONBLOCK 0x4000. -ENOENT, -EEXIST, -EISDIR, -ENOTDIR, -EMFILE.
  minios_open: { prototype: 'int minios_open(const char *path, int flags, int mode)' },
  minios_stat: { prototype: 'int minios_stat(const char *path, struct minios_stat *result)' },
  minios_fstat: { prototype: 'int minios_fstat(int fd, struct minios_stat *result)' },
  minios_ftruncate: { prototype: 'int minios_ftruncate(int fd, int64_t length)' },
  // An unlinked file lives on while a descriptor has it open; -EISDIR for a directory.
  minios_unlink: { prototype: 'int minios_unlink(const char *path)' },
  minios_rename: { prototype: 'int minios_rename(const char *from, const char *to)' },
  // Length of the path with its NUL, which it writes to buf; -ERANGE where size is less.
  minios_getcwd: { prototype: 'int minios_getcwd(char *buf, size_t size)' },

  // Moves the end of the heap (zeroed, page-grained mapping beneath) and returns the old end, or -ENOMEM as a pointer.
  minios_sbrk: { prototype: 'void *minios_sbrk(ptrdiff_t increment)' },

  // 0 realtime (since 1970, UTC), 1 monotonic (since the domain began), 2 this domain's own running time; -EINVAL.
  minios_clock_ns: { prototype: 'int minios_clock_ns(int clock, int64_t *nanoseconds)' },
  // mini-os/time.h: clock 1 as a value; what wakeup_time of a thread is compared with.
  monotonic_clock: { prototype: 'uint64_t monotonic_clock(void)' },

  // mini-os/sched.h. The kernel copies name's pointer, not its text. A new thread is runnable and begins at the next
  // schedule; where its function returns, it ends as by exit_thread. NULL where there is no memory.
  create_thread: {
    prototype: 'struct thread *create_thread(char *name, void (*function)(void *), void *data)',
  },
  exit_thread: { prototype: 'void exit_thread(void)' },
  // Runs the next thread whose flags, in guest memory, have RUNNABLE_FLAG (1); one without it becomes runnable when its
  // wakeup_time, in guest memory, is not 0 and has come. C sets both fields itself (mini-os/wait.h). The running
  // thread may go on. With no thread runnable the domain parks.
  schedule: { prototype: 'void schedule(void)' },
  // block: wakeup_time = 0 and RUNNABLE_FLAG cleared, wake: wakeup_time = 0 and RUNNABLE_FLAG set; neither switches.
  block: { prototype: 'void block(struct thread *thread)' },
  wake: { prototype: 'void wake(struct thread *thread)' },
  // Other threads run meanwhile.
  msleep: { prototype: 'void msleep(uint32_t milliseconds)' },
} as const satisfies Readonly<Record<string, ApiFunction | ApiData>>;
