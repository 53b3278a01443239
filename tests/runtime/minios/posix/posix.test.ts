/** The POSIX rows, called as a C library calls them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { minios_stat, pollfd } from '../../../../runtime/minios/abi/posix.ts';
import { errno } from '../../../../runtime/minios/errno.ts';
import {
  type Application,
  type ApplicationSettings,
  application,
  scratch,
} from '../../../support/application.ts';

const posix = suite('runtime/minios/posix/posix');

type Call = readonly [name: string, ...values: (number | bigint | string)[]];

/** Makes the calls one after the other; their results. Strings are put into guest memory. */
async function results(calls: readonly Call[], guest = application()): Promise<number[]> {
  const seen: number[] = [];
  let place = scratch + 0x800n;
  const pointer = (text: string): number => {
    const at = guest.text(text, place);
    place += BigInt(text.length + 1);
    return Number(at);
  };
  await guest.run(
    ...calls.flatMap(([name, ...values]) => [
      (cpu: Application['cpu']) =>
        cpu.call(name, ...values.map((v) => (typeof v === 'string' ? pointer(v) : v))),
      (cpu: Application['cpu']) => {
        seen.push(cpu.result);
        return undefined;
      },
    ]),
    (cpu) => cpu.call('minios_exit', 0),
  );
  return seen;
}

const buffer = Number(scratch);
const AT_FDCWD = -2;
const statSize = minios_stat.layout(64).size;
const [O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NONBLOCK] = [
  2, 0x200, 0x800, 0x400, 8, 0x4000,
];

posix('a file keeps what is written, and is read from where it was sought', async () => {
  const guest = application();

  const seen = await results(
    [
      ['minios_openat', AT_FDCWD, '/tmp/a', O_RDWR | O_CREAT, 0o600],
      ['minios_write', 3, 'hello world', 11],
      ['minios_lseek', 3, 6n, 0, buffer + 64],
      ['minios_read', 3, buffer, 100],
      ['minios_read', 3, buffer, 100],
      ['minios_close', 3],
      ['minios_read', 3, buffer, 1],
    ],
    guest,
  );

  assert.equal(seen, [3, 11, 0, 5, 0, 0, -errno.EBADF]);
  assert.is(new TextDecoder().decode(guest.memory.readBytes(scratch, 5)), 'world');
});

posix('open answers with the errno that POSIX names', async () => {
  const seen = await results([
    ['minios_openat', AT_FDCWD, '/none', 0, 0],
    ['minios_openat', AT_FDCWD, '/none/file', O_RDWR | O_CREAT, 0],
    ['minios_openat', AT_FDCWD, '/tmp', O_RDWR, 0],
    ['minios_openat', AT_FDCWD, '/f', O_RDWR | O_CREAT | O_EXCL, 0],
    ['minios_openat', AT_FDCWD, '/f', O_RDWR | O_CREAT | O_EXCL, 0],
    ['minios_openat', AT_FDCWD, '/f/x', 0, 0],
    ['minios_openat', AT_FDCWD, '', 0, 0],
    ['minios_openat', AT_FDCWD, 0, 0, 0],
    ['minios_openat', AT_FDCWD, 'x'.repeat(300), O_RDWR | O_CREAT, 0],
  ]);

  const { ENOENT, EISDIR, EEXIST, ENOTDIR, EFAULT, ENAMETOOLONG } = errno;
  assert.equal(seen, [
    ...[-ENOENT, -ENOENT, -EISDIR, 3, -EEXIST, -ENOTDIR, -ENOENT, -EFAULT, -ENAMETOOLONG],
  ]);
});

posix('a descriptor for reading is not for writing, and the other way', async () => {
  const seen = await results([
    ['minios_openat', AT_FDCWD, '/f', 1 | O_CREAT, 0],
    ['minios_read', 3, buffer, 1],
    ['minios_openat', AT_FDCWD, '/f', 0, 0],
    ['minios_write', 4, buffer, 1],
    ['minios_ftruncate', 4, 0n],
  ]);

  assert.equal(seen, [3, -errno.EBADF, 4, -errno.EBADF, -errno.EINVAL]);
});

posix('O_APPEND writes at the end, O_TRUNC empties, a gap reads as zeros', async () => {
  const guest = application();

  const seen = await results(
    [
      ['minios_openat', AT_FDCWD, '/f', O_RDWR | O_CREAT, 0],
      ['minios_write', 3, 'abc', 3],
      ['minios_openat', AT_FDCWD, '/f', O_RDWR | O_APPEND, 0],
      ['minios_write', 4, 'd', 1],
      ['minios_lseek', 3, 2n, 1, buffer + 64],
      ['minios_write', 3, 'e', 1],
      ['minios_lseek', 3, 0n, 0, buffer + 64],
      ['minios_read', 3, buffer, 10],
      ['minios_openat', AT_FDCWD, '/f', O_RDWR | O_TRUNC, 0],
      ['minios_lseek', 5, 0n, 2, buffer + 64],
    ],
    guest,
  );

  assert.equal(seen, [3, 3, 4, 1, 0, 1, 0, 6, 5, 0]);
  assert.equal([...guest.memory.readBytes(scratch, 6)], [97, 98, 99, 100, 0, 101]);
  assert.is(guest.memory.readU64(scratch + 64n), 0n);
});

posix('a duplicate shares the position; the file is closed with its last descriptor', async () => {
  const seen = await results([
    ['minios_openat', AT_FDCWD, '/f', O_RDWR | O_CREAT, 0],
    ['minios_fcntl', 3, 0, 10],
    ['minios_write', 10, 'ab', 2],
    ['minios_lseek', 3, 0n, 1, buffer],
    ['minios_dup2', 3, 1, 0],
    ['minios_close', 3],
    ['minios_write', 1, 'c', 1],
    ['minios_fd_kind', 1],
    ['minios_dup2', 99, 4, 0],
    ['minios_dup2', 1, -1, 0],
  ]);

  assert.equal(seen, [3, 10, 2, 0, 1, 0, 1, 2, -errno.EBADF, -errno.EBADF]);
});

posix('an unlinked file lives on while it is open', async () => {
  const seen = await results([
    ['minios_openat', AT_FDCWD, '/f', O_RDWR | O_CREAT, 0],
    ['minios_write', 3, 'ab', 2],
    ['minios_unlinkat', AT_FDCWD, '/f', 0],
    ['minios_unlinkat', AT_FDCWD, '/f', 0],
    ['minios_unlinkat', AT_FDCWD, '/tmp', 0],
    ['minios_lseek', 3, 0n, 0, buffer],
    ['minios_read', 3, buffer, 9],
  ]);

  assert.equal(seen, [3, 2, 0, -errno.ENOENT, -errno.EISDIR, 0, 2]);
});

posix('rename replaces a file, and stat tells of what is there then', async () => {
  const guest = application();

  const seen = await results(
    [
      ['minios_openat', AT_FDCWD, '/a', O_RDWR | O_CREAT, 0o666],
      ['minios_write', 3, 'abc', 3],
      ['minios_openat', AT_FDCWD, '/tmp/b', O_RDWR | O_CREAT, 0],
      ['minios_renameat', AT_FDCWD, '/a', AT_FDCWD, '/tmp/../tmp/b'],
      ['minios_fstatat', AT_FDCWD, '/a', buffer, 0],
      ['minios_fstatat', AT_FDCWD, 'tmp/b', buffer, 0],
      ['minios_fstatat', AT_FDCWD, 'tmp/b/', buffer, 0],
      ['minios_renameat', AT_FDCWD, '/tmp', AT_FDCWD, '/tmp/inside'],
      ['minios_renameat', AT_FDCWD, '/tmp/b', AT_FDCWD, '/tmp'],
    ],
    guest,
  );

  const { ENOENT, ENOTDIR, EINVAL, ENOTEMPTY } = errno;
  assert.equal(seen, [3, 3, 4, 0, -ENOENT, 0, -ENOTDIR, -EINVAL, -ENOTEMPTY]);
  const stat = minios_stat.layout(64).at(guest.memory.readBytes(scratch, statSize), 0);
  assert.equal([stat.size, stat.mode, stat.nlink], [3n, 0o100644, 1]);
  assert.ok(stat.mtime_ns > 1_600_000_000_000_000_000n);
});

posix('permissions and times are what they were set to', async () => {
  const guest = application();

  const seen = await results(
    [
      ['minios_openat', AT_FDCWD, '/f', O_RDWR | O_CREAT, 0o4666],
      ['minios_fstatat', AT_FDCWD, '/f', buffer, 0],
      ['minios_fchmodat', AT_FDCWD, '/f', 0o100751, 0],
      ['minios_utimensat', AT_FDCWD, '/f', 7n, -5n, 0],
      ['minios_fstat', 3, buffer + statSize],
      ['minios_fchmod', 3, 0],
      ['minios_fchmodat', AT_FDCWD, '/tmp', 0o1777, 0],
      ['minios_fstatat', AT_FDCWD, '/f', buffer + 2 * statSize, 0],
      ['minios_fstatat', AT_FDCWD, '/tmp', buffer + 3 * statSize, 0],
      ['minios_fchmod', 1, 0o600],
      ['minios_fchmod', 9, 0],
      ['minios_fchmodat', AT_FDCWD, '/g', 0, 0],
      ['minios_utimensat', AT_FDCWD, '/g', 0n, 0n, 0],
    ],
    guest,
  );

  const { EBADF, ENOENT } = errno;
  assert.equal(seen, [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, -EBADF, -ENOENT, -ENOENT]);
  const stats = [0, 1, 2, 3].map((i) =>
    minios_stat.layout(64).at(guest.memory.readBytes(scratch + BigInt(i * statSize), statSize), 0),
  );
  const modes = stats.map(({ mode }) => mode);
  assert.equal(modes, [0o104644, 0o100751, 0o100000, 0o041777]);
  assert.equal([stats[1]?.atime_ns, stats[1]?.mtime_ns], [7n, -5n]);
});

posix('the kinds: console, file, directory', async () => {
  const seen = await results([
    ['minios_openat', AT_FDCWD, '/f', O_RDWR | O_CREAT, 0],
    ['minios_openat', AT_FDCWD, '/', 0, 0],
    ['minios_fd_kind', 2],
    ['minios_fd_kind', 3],
    ['minios_fd_kind', 4],
    ['minios_fd_kind', 5],
    ['minios_read', 4, buffer, 1],
    ['minios_isatty', 0],
    ['minios_lseek', 1, 0n, 0, buffer],
  ]);

  assert.equal(seen, [3, 4, 1, 2, 3, -errno.EBADF, -errno.EISDIR, 0, -errno.ESPIPE]);
});

posix('O_NONBLOCK makes an empty console EAGAIN', async () => {
  const seen = await results([
    ['minios_fcntl', 0, 4, O_NONBLOCK],
    ['minios_fcntl', 0, 3, 0],
    ['minios_read', 0, buffer, 1],
    ['minios_fcntl', 0, 99, 0],
  ]);

  assert.equal(seen, [0, O_NONBLOCK | O_RDWR, -errno.EAGAIN, -errno.EINVAL]);
});

posix('descriptors run out at 1024', async () => {
  const calls = Array.from({ length: 1022 }, (): Call => ['minios_fcntl', 0, 0, 0]);

  const seen = await results(calls);

  assert.equal(seen.slice(-2), [1023, -errno.EMFILE]);
});

posix('getcwd is the root', async () => {
  const guest = application();

  const seen = await results(
    [
      ['minios_getcwd', buffer, 2],
      ['minios_getcwd', buffer, 1],
    ],
    guest,
  );

  assert.equal(seen, [2, -errno.ERANGE]);
  assert.is(guest.memory.readString(scratch, 9), '/');
});

posix('files cannot use up the host’s memory', async () => {
  const seen = await results([
    ['minios_openat', AT_FDCWD, '/f', O_RDWR | O_CREAT, 0],
    ['minios_ftruncate', 3, 1n << 30n],
    ['minios_ftruncate', 3, 1n << 50n],
    ['minios_lseek', 3, 1n << 60n, 0, buffer],
    ['minios_write', 3, 'ok', 2],
  ]);

  assert.equal(seen, [3, -errno.ENOSPC, -errno.EFBIG, -errno.EOVERFLOW, 2]);
});

function polled(guest: Application, ...entries: readonly (readonly [number, number])[]): void {
  const { size } = pollfd.layout(64);
  for (const [i, [fd, events]] of entries.entries()) {
    const bytes = new Uint8Array(size);
    Object.assign(pollfd.layout(64).at(bytes, 0), { fd, events, revents: -1 });
    guest.memory.writeBytes(scratch + BigInt(i * size), bytes);
  }
}

const revents = (guest: Application, i: number): number =>
  pollfd.layout(64).at(guest.memory.readBytes(scratch + BigInt(i * 8), 8), 0).revents;

posix('poll tells what is ready at once', async () => {
  const guest = application();
  polled(guest, [0, 1], [1, 5], [77, 1], [-1, 1]);

  const seen = await results([['minios_poll', buffer, 4, -1]], guest);

  assert.equal(seen, [2]);
  assert.equal(
    [0, 1, 2, 3].map((i) => revents(guest, i)),
    [0, 4, 32, 0],
  );
});

posix(
  'poll of an empty console ends when its time is over, or when something is typed',
  async () => {
    const settings: ApplicationSettings = {};
    const slow = application(settings);
    polled(slow, [0, 1]);
    const before = slow.clock.now;
    assert.equal(await results([['minios_poll', buffer, 1, 20]], slow), [0]);
    assert.is(slow.clock.now - before, 20_000_000n);

    const typed = application(settings);
    polled(typed, [0, 1]);
    setTimeout(() => typed.console.write('x'), 2);
    assert.equal(await results([['minios_poll', buffer, 1, -1]], typed), [1]);
    assert.is(revents(typed, 0), 1);
  },
);

posix('sbrk gives zeroed memory, takes it back, and ends where memory ends', async () => {
  const guest = application();
  const starts: bigint[] = [];

  await guest.run(
    (cpu) => cpu.call('minios_sbrk', 5000),
    (cpu) => {
      starts.push(cpu.register(0));
      guest.memory.fill(cpu.register(0), 5000, 7);
      return cpu.call('minios_sbrk', -5000);
    },
    (cpu) => cpu.call('minios_sbrk', 5000),
    (cpu) => {
      starts.push(cpu.register(0));
      assert.is(guest.memory.readU64(cpu.register(0)), 0n);
      return cpu.call('minios_sbrk', 2 ** 30);
    },
    (cpu) => {
      assert.is(BigInt.asIntN(64, cpu.register(0)), BigInt(-errno.ENOMEM));
      return cpu.call('minios_sbrk', -6000);
    },
    (cpu) => {
      assert.is(BigInt.asIntN(64, cpu.register(0)), BigInt(-errno.ENOMEM));
      return cpu.call('minios_exit', 0);
    },
  );

  assert.is(starts[0], starts[1]);
});

posix('beyond the heap’s end a store would fault', async () => {
  const guest = application();
  const { heap } = guest.loaded.map;

  await guest.run(
    (cpu) => cpu.call('minios_sbrk', 1),
    (cpu) => cpu.call('minios_exit', 0),
  );

  assert.type(guest.memory.addressSpace.translate(heap + 4095n, 'write'), 'number');
  assert.equal(guest.memory.addressSpace.translate(heap + 4096n, 'write'), {
    errorCode: 2,
    address: heap + 4096n,
  });
});

posix.run();
