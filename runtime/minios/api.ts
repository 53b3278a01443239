/**
 * The Mini-OS API of an application image: one row a symbol of libminios.so. From a row come the import library, the
 * marshalling, the trace line and the check against the C headers.
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
  minios_current: { data: 'extern struct thread *minios_current', size: { 64: 8, 32: 4 } },
  minios_exit: { prototype: 'void minios_exit(int status)' },
  minios_abort: { prototype: 'void minios_abort(void)' },
  minios_read: { prototype: 'ssize_t minios_read(int fd, void *buf, size_t count)' },
  minios_write: { prototype: 'ssize_t minios_write(int fd, const void *buf, size_t count)' },
  minios_close: { prototype: 'int minios_close(int fd)' },
  minios_fd_kind: { prototype: 'int minios_fd_kind(int fd)' },
  minios_lseek: {
    prototype: 'int minios_lseek(int fd, int64_t offset, int whence, int64_t *result)',
  },
  minios_isatty: { prototype: 'int minios_isatty(int fd)' },
  minios_sbrk: { prototype: 'void *minios_sbrk(ptrdiff_t increment)' },
  minios_clock_ns: { prototype: 'int minios_clock_ns(int clock, int64_t *nanoseconds)' },
  monotonic_clock: { prototype: 'uint64_t monotonic_clock(void)' },
  create_thread: {
    prototype: 'struct thread *create_thread(char *name, void (*function)(void *), void *data)',
  },
  exit_thread: { prototype: 'void exit_thread(void)' },
  schedule: { prototype: 'void schedule(void)' },
  block: { prototype: 'void block(struct thread *thread)' },
  wake: { prototype: 'void wake(struct thread *thread)' },
  msleep: { prototype: 'void msleep(uint32_t milliseconds)' },
} as const satisfies Readonly<Record<string, ApiFunction | ApiData>>;
