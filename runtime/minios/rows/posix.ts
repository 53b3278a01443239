/**
 * The rows of the API that stand behind POSIX: descriptors, files, terminals. `minios_*` rows that can fail return a negative errno
 * (newlib's numbers); the C wrapper in toolchain/sysroot turns it into -1 and errno. Structs are those of mini-os/posix.h.
 */
import { AT } from '../abi/posix.ts';
import { type ApiFunction, row } from '../row.ts';

export const posixRows = {
  // Descriptors 0, 1 and 2 are the console. read parks the thread until a byte is there, unless O_NONBLOCK (-EAGAIN); 0
  // is the end of input. A short count is allowed of a read; a write that may wait writes all.
  minios_read: row(
    'ssize_t minios_read(int fd, void *buf, size_t count)',
    ({ posix }, fd, buf, count) => posix.read(fd, buf, count),
  ),
  minios_write: row(
    'ssize_t minios_write(int fd, const void *buf, size_t count)',
    ({ posix }, fd, buf, count) => posix.write(fd, buf, count),
  ),
  // At a position, and the descriptor's stays; -ESPIPE where there is none.
  minios_pread: row(
    'ssize_t minios_pread(int fd, void *buf, size_t count, int64_t offset)',
    ({ posix }, fd, buf, count, offset) => posix.read(fd, buf, count, offset),
  ),
  minios_pwrite: row(
    'ssize_t minios_pwrite(int fd, const void *buf, size_t count, int64_t offset)',
    ({ posix }, fd, buf, count, offset) => posix.write(fd, buf, count, offset),
  ),
  // 1 where it was the last descriptor of an object of the image's, which is to be closed now.
  minios_close: row('int minios_close(int fd)', ({ posix }, fd) => posix.close(fd)),
  // An open file of the image's own, of a kind from MINIOS_FD_SOCKET on; the kernel reads its ready and flags, and writes flags, as
  // long as a descriptor has it. flags: O_CLOEXEC.
  minios_open_object: row(
    'int minios_open_object(int kind, void *object, int flags)',
    ({ posix }, kind, object, flags) => posix.openObject(kind, object, flags),
  ),
  // NULL where the descriptor is of a file of the kernel's.
  minios_object_of: row('void *minios_object_of(int fd)', ({ posix }, fd) => posix.object(fd)),
  // MINIOS_FD_* of mini-os/posix.h; -EBADF where it is not open.
  minios_fd_kind: row('int minios_fd_kind(int fd)', ({ posix }, fd) => posix.kind(fd)),
  // whence 0 from the start, 1 from here, 2 from the end; -ESPIPE for a console. 0, and the new position in *result.
  minios_lseek: row(
    'int minios_lseek(int fd, int64_t offset, int whence, int64_t *result)',
    ({ posix }, fd, offset, whence, result) => posix.seek(fd, offset, whence, result),
  ),
  // 1 where the person's side of the console is a terminal, else 0.
  minios_isatty: row('int minios_isatty(int fd)', ({ posix }, fd) => posix.isTerminal(fd)),
  // F_DUPFD 0 and F_DUPFD_CLOEXEC 14 (lowest free descriptor >= arg), F_GETFD 1, F_SETFD 2, F_GETFL 3, F_SETFL 4 (O_APPEND 8
  // and O_NONBLOCK 0x4000 alone change); any other command is -EINVAL.
  minios_fcntl: row('int minios_fcntl(int fd, int cmd, int arg)', ({ posix }, fd, cmd, arg) =>
    posix.control(fd, cmd, arg),
  ),
  // Closes `to` where it is open, then makes it share the open file of `from`; returns `to`. flags: O_CLOEXEC.
  minios_dup2: row('int minios_dup2(int from, int to, int flags)', ({ posix }, from, to, flags) =>
    posix.duplicateTo(from, to, flags),
  ),
  // flags: O_NONBLOCK, O_CLOEXEC.
  minios_pipe: row('int minios_pipe(int *fds, int flags)', ({ posix }, fds, flags) =>
    posix.pipe(fds, flags),
  ),
  // How many bytes a read gives without waiting; -ENOTTY where nobody can say.
  minios_waiting: row('int minios_waiting(int fd)', ({ posix }, fd) => posix.waiting(fd)),
  // poll of POSIX (POLLIN 1, POLLPRI 2, POLLOUT 4, POLLERR 8, POLLHUP 16, POLLNVAL 32; struct pollfd of <poll.h> is
  // {int fd; short events, revents}): parks until one is ready or the time is over (-1 never); a file is always ready.
  minios_poll: row(
    'int minios_poll(struct pollfd *fds, unsigned count, int milliseconds)',
    ({ posix }, fds, count, milliseconds) => posix.poll(fds, count, milliseconds),
  ),
  // -ENOTTY where the console is no terminal. Settings have Linux's numbers (sys/termios.h).
  minios_tcgetattr: row(
    'int minios_tcgetattr(int fd, struct minios_termios *result)',
    ({ posix }, fd, result) => posix.terminalSettings(fd, result),
  ),
  minios_tcsetattr: row(
    'int minios_tcsetattr(int fd, int discard_input, const struct minios_termios *from)',
    ({ posix }, fd, discard, from) => posix.setTerminalSettings(fd, discard, from),
  ),
  minios_tcflush: row('int minios_tcflush(int fd)', ({ posix }, fd) => posix.discardInput(fd)),
  // How many bytes that nobody can foretell.
  minios_random: row('int minios_random(void *buf, size_t count)', ({ posix }, buf, count) =>
    posix.random(buf, count),
  ),

  // Files: a tree in memory under `/`, with /tmp and /dev at the start, and the folders that the domain was given. A relative path
  // begins at the directory that is open as `dirfd`, or with AT_FDCWD (-2) at the one that the program works in.
  // Returns the lowest free descriptor. flags: O_* of newlib's fcntl.h.
  minios_openat: row(
    'int minios_openat(int dirfd, const char *path, int flags, int mode)',
    ({ posix }, dirfd, path, flags, mode) => posix.names.open(dirfd, path, flags, mode),
  ),
  // flags: AT_SYMLINK_NOFOLLOW 2.
  minios_fstatat: row(
    'int minios_fstatat(int dirfd, const char *path, struct minios_stat *result, int flags)',
    ({ posix }, dirfd, path, result, flags) => posix.names.status(dirfd, path, result, flags),
  ),
  minios_fstat: row(
    'int minios_fstat(int fd, struct minios_stat *result)',
    ({ posix }, fd, result) => posix.statusOf(fd, result),
  ),
  minios_ftruncate: row('int minios_ftruncate(int fd, int64_t length)', ({ posix }, fd, length) =>
    posix.truncate(fd, length),
  ),
  // Parks until what was written is kept for good; data_only: fdatasync.
  minios_fsync: row('int minios_fsync(int fd, int data_only)', ({ posix }, fd, dataOnly) =>
    posix.flush(fd, dataOnly === 0 ? 'all' : 'data'),
  ),
  // The lowest 12 bits of mode. One user may do everything, whatever they say.
  minios_fchmodat: row(
    'int minios_fchmodat(int dirfd, const char *path, int mode, int flags)',
    ({ posix }, dirfd, path, mode, flags) => posix.names.setPermissions(dirfd, path, mode, flags),
  ),
  minios_fchmod: row('int minios_fchmod(int fd, int mode)', ({ posix }, fd, mode) =>
    posix.names.setPermissionsOf(fd, mode),
  ),
  // Nanoseconds since 1970; MINIOS_UTIME_NOW and MINIOS_UTIME_OMIT.
  minios_utimensat: row(
    'int minios_utimensat(int dirfd, const char *path, int64_t atime, int64_t mtime, int flags)',
    ({ posix }, dirfd, path, atime, mtime, flags) =>
      posix.names.setTimes(dirfd, path, atime, mtime, flags),
  ),
  minios_futimens: row(
    'int minios_futimens(int fd, int64_t atime, int64_t mtime)',
    ({ posix }, fd, atime, mtime) => posix.names.setTimesOf(fd, atime, mtime),
  ),
  minios_mkdirat: row(
    'int minios_mkdirat(int dirfd, const char *path, int mode)',
    ({ posix }, dirfd, path, mode) => posix.names.makeDirectory(dirfd, path, mode),
  ),
  // flags: AT_REMOVEDIR 8, for a directory. An unlinked file lives on while a descriptor has it open.
  minios_unlinkat: row(
    'int minios_unlinkat(int dirfd, const char *path, int flags)',
    ({ posix }, dirfd, path, flags) => posix.names.remove(dirfd, path, flags),
  ),
  minios_renameat: row(
    'int minios_renameat(int fromfd, const char *from, int tofd, const char *to)',
    ({ posix }, fromfd, from, tofd, to) => posix.names.rename(fromfd, from, tofd, to),
  ),
  // flags: AT_SYMLINK_FOLLOW 4.
  minios_linkat: row(
    'int minios_linkat(int fromfd, const char *from, int tofd, const char *to, int flags)',
    ({ posix }, fromfd, from, tofd, to, flags) => posix.names.link(fromfd, from, tofd, to, flags),
  ),
  minios_symlinkat: row(
    'int minios_symlinkat(const char *text, int dirfd, const char *path)',
    ({ posix }, text, dirfd, path) => posix.names.makeLink(text, dirfd, path),
  ),
  // A name for a socket of the image's own: a node that cannot be opened.
  minios_make_socket_at: row(
    'int minios_make_socket_at(int dirfd, const char *path, int mode)',
    ({ posix }, dirfd, path, mode) => posix.names.makeSocket(dirfd, path, mode),
  ),
  // The length of what was written to buf, without a NUL.
  minios_readlinkat: row(
    'ssize_t minios_readlinkat(int dirfd, const char *path, char *buf, size_t size)',
    ({ posix }, dirfd, path, buf, size) => posix.names.readLink(dirfd, path, buf, size),
  ),
  // 1 and the entry of that number, `.` and `..` first; 0 behind the last. Number 0 reads the directory anew.
  minios_readdir: row(
    'int minios_readdir(int fd, int number, struct minios_dirent *result)',
    ({ posix }, fd, number, result) => posix.names.entry(fd, number, result),
  ),
  minios_chdir: row('int minios_chdir(const char *path)', ({ posix }, path) =>
    posix.names.workIn(AT.FDCWD, path),
  ),
  minios_fchdir: row('int minios_fchdir(int fd)', ({ posix }, fd) => posix.names.workInOf(fd)),
  // Length of the path with its NUL, which it writes to buf; -ERANGE where size is less.
  minios_getcwd: row('int minios_getcwd(char *buf, size_t size)', ({ posix }, buf, size) =>
    posix.names.working(buf, size),
  ),
  // The path from the root, without links; its length with its NUL.
  minios_realpath: row(
    'int minios_realpath(const char *path, char *buf, size_t size)',
    ({ posix }, path, buf, size) => posix.names.resolved(path, buf, size),
  ),
  // The mask as it was; 022 at the start.
  minios_umask: row('int minios_umask(int mask)', ({ posix }, mask) =>
    posix.names.setCreationMask(mask),
  ),
  minios_statvfs: row(
    'int minios_statvfs(const char *path, struct minios_statvfs *result)',
    ({ posix }, path, result) => posix.names.space(path, result),
  ),
  minios_fstatvfs: row(
    'int minios_fstatvfs(int fd, struct minios_statvfs *result)',
    ({ posix }, fd, result) => posix.names.spaceOf(fd, result),
  ),
} as const satisfies Readonly<Record<string, ApiFunction>>;
