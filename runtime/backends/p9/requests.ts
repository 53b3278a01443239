/** The requests of 9P2000.L (include/net/9p/9p.h), by type: what each asks of the folder, and its answer. */
import { XenError } from '../../errors.ts';
import { type FolderPath, isDirectory } from '../folder/folder.ts';
import { qidOf, qidType } from './qid.ts';
import type { NinePSession } from './session.ts';
import { dataOverhead, headerLength, type MessageReader, MessageWriter, type Qid } from './wire.ts';

/** Answers with what it writes; a promise where somebody waits for the disk. */
type Handler = (
  session: NinePSession,
  request: MessageReader,
  answer: MessageWriter,
) => void | Promise<void>;

export interface Row {
  readonly name: string;
  readonly changes?: boolean;
  readonly run: Handler;
}

const TVERSION = 100;
const dialect = '9P2000.L';
const leastMessage = 4096;
/** Linux's open flags (asm-generic/fcntl.h). */
const LINUX_O = {
  ACCMODE: 3,
  CREAT: 0o100,
  EXCL: 0o200,
  TRUNC: 0o1000,
  DSYNC: 0o10000,
  DIRECTORY: 0o200000,
} as const;
const GETATTR_BASIC = 0x7ffn;
const SETATTR = {
  MODE: 1,
  UID: 2,
  GID: 4,
  SIZE: 8,
  ATIME: 16,
  MTIME: 32,
  ATIME_SET: 128,
  MTIME_SET: 256,
} as const;
const AT_REMOVEDIR = 0x200;
const V9FS_MAGIC = 0x01021997;
const longestWalk = 16;
const LOCK_SUCCESS = 0;
const F_UNLCK = 2;

function version(session: NinePSession, request: MessageReader, answer: MessageWriter): void {
  const longest = request.u32();
  const asked = request.text();
  if (longest < leastMessage) throw new XenError('EINVAL', `messages of ${longest} bytes`);
  answer.u32(session.agree(longest)).text(asked === dialect ? dialect : 'unknown');
}

function attach(session: NinePSession, request: MessageReader, answer: MessageWriter): void {
  const fid = request.u32();
  if (session.fids.has(fid)) throw new XenError('EINVAL', `fid ${fid} is in use`);
  answer.qid(session.qid([]));
  session.fids.set(fid, []);
}

function walk(session: NinePSession, request: MessageReader, answer: MessageWriter): void {
  const [from, to, count] = [request.u32(), request.u32(), request.u16()];
  if (count > longestWalk) throw new XenError('EINVAL', `a walk of ${count} names`);
  const start = session.fids.get(from);
  if (to !== from && session.fids.has(to)) throw new XenError('EINVAL', `fid ${to} is in use`);
  const names = Array.from({ length: count }, () => request.text());
  const { path, qids } = steps(session, start.path, names);
  if (qids.length === count) {
    if (to === from) start.path = path;
    else session.fids.set(to, path);
  }
  answer.u16(qids.length);
  for (const qid of qids) answer.qid(qid);
}

/** Where the first name is not there it is an error, else the walk ends early. */
function steps(
  session: NinePSession,
  from: FolderPath,
  names: readonly string[],
): { path: FolderPath; qids: readonly Qid[] } {
  let path = from;
  const qids: Qid[] = [];
  for (const name of names) {
    const next = step(path, name);
    try {
      qids.push(session.qid(next));
    } catch (error) {
      if (qids.length > 0 && error instanceof XenError) break;
      throw error;
    }
    path = next;
  }
  return { path, qids };
}

/** The root's parent is the root. */
function step(path: FolderPath, name: string): FolderPath {
  if (/[/\0]/.test(name) || name === '') throw new XenError('ENOENT', 'no such name');
  if (name === '..') return path.slice(0, -1);
  return name === '.' ? path : [...path, name];
}

function open(session: NinePSession, request: MessageReader, answer: MessageWriter): void {
  const fid = session.fids.get(request.u32());
  const flags = request.u32();
  if (fid.isOpen) throw new XenError('EINVAL', 'the fid is open');
  const status = session.status(fid.path);
  const writing = (flags & LINUX_O.ACCMODE) !== 0 || (flags & LINUX_O.TRUNC) !== 0;
  if (writing && session.parts.isReadOnly) throw new XenError('EROFS', 'read-only');
  if (isDirectory(status)) {
    if (writing) throw new XenError('EISDIR', 'a directory is not for writing');
  } else if ((flags & LINUX_O.DIRECTORY) !== 0) throw new XenError('ENOTDIR', 'no directory');
  else fid.file = session.parts.folder.open(fid.path, { writing, ...wishOf(flags) });
  fid.isOpen = true;
  answer.qid(qidOf(status)).u32(session.longest - dataOverhead);
}

const wishOf = (flags: number): { truncate: boolean; synchronous: boolean } => ({
  truncate: (flags & LINUX_O.TRUNC) !== 0,
  synchronous: (flags & LINUX_O.DSYNC) !== 0,
});

function create(session: NinePSession, request: MessageReader, answer: MessageWriter): void {
  const number = request.u32();
  const fid = session.fids.get(number);
  const path = session.nameIn(number, request.text());
  const [flags, mode] = [request.u32(), request.u32()];
  if (fid.isOpen) throw new XenError('EINVAL', 'the fid is open');
  fid.file = session.parts.folder.open(path, {
    ...{ writing: (flags & LINUX_O.ACCMODE) !== 0, create: mode & 0o7777, ...wishOf(flags) },
    exclusive: (flags & LINUX_O.EXCL) !== 0,
  });
  fid.path = path;
  fid.isOpen = true;
  answer.qid(session.qid(path)).u32(session.longest - dataOverhead);
}

function read(session: NinePSession, request: MessageReader, answer: MessageWriter): void {
  const { file } = session.fids.get(request.u32());
  const offset = positionOf(request.u64());
  if (file === undefined) throw new XenError('EBADF', 'no open file');
  const most = session.room(request.u32());
  const room = answer.room(4 + most);
  const count = file.read(offset, room.subarray(4));
  new DataView(room.buffer, room.byteOffset).setUint32(0, count, true);
  answer.cut(most - count);
}

function write(session: NinePSession, request: MessageReader, answer: MessageWriter): void {
  const { file } = session.fids.get(request.u32());
  const offset = positionOf(request.u64());
  if (file === undefined) throw new XenError('EBADF', 'no open file');
  answer.u32(file.write(offset, request.bytes(request.u32())));
}

function positionOf(offset: bigint): number {
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) throw new XenError('EFBIG', `offset ${offset}`);
  return Number(offset);
}

/** Entries are made when reading begins anew, so that each is seen once. */
function readDirectory(session: NinePSession, request: MessageReader, answer: MessageWriter): void {
  const fid = session.fids.get(request.u32());
  const offset = Number(request.u64());
  const room = session.room(request.u32());
  if (offset === 0 || fid.entries === undefined) fid.entries = entriesOf(session, fid.path);
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let n = offset; n < fid.entries.length; n++) {
    const entry = fid.entries[n] ?? new Uint8Array(0);
    if (length + entry.length > room) break;
    parts.push(entry);
    length += entry.length;
  }
  answer.u32(length);
  for (const part of parts) answer.bytes(part);
}

function entriesOf(session: NinePSession, path: FolderPath): Uint8Array[] {
  const { folder } = session.parts;
  const own = [
    { name: '.', status: folder.status(path) },
    { name: '..', status: folder.status(path.slice(0, -1)) },
  ].map(({ name, status }) => ({ name, qid: qidOf(status), mode: status.mode }));
  const inside = folder.list(path).map(({ name, ino, mode }) => {
    const type = qidType({ mode });
    return { name, qid: { type, version: 0, path: ino }, mode };
  });
  return [...own, ...inside].map(({ name, qid, mode }, n) => {
    // DT_DIR and its kin are the bits of S_IFMT.
    const entry = new MessageWriter()
      .qid(qid)
      .u64(BigInt(n + 1))
      .u8((mode >> 12) & 0xf)
      .text(name);
    return entry.finish(0, 0).slice(headerLength);
  });
}

function getAttributes(session: NinePSession, request: MessageReader, answer: MessageWriter): void {
  const { path, file } = session.fids.get(request.u32());
  const status = file?.status() ?? session.status(path);
  answer.u64(GETATTR_BASIC).qid(qidOf(status)).u32(status.mode).u32(0).u32(0);
  answer.u64(BigInt(status.nlink)).u64(BigInt(status.rdev));
  answer.u64(status.size).u64(4096n).u64(status.blocks);
  for (const time of [status.atime, status.mtime, status.ctime, 0n])
    answer.u64(time / 1_000_000_000n).u64(time % 1_000_000_000n);
  answer.u64(0n).u64(0n);
}

/** Everything is its host's user's: owners are not changed, which is no error. */
function setAttributes(session: NinePSession, request: MessageReader): void {
  const { path, file } = session.fids.get(request.u32());
  const { folder } = session.parts;
  const [valid, mode] = [request.u32(), request.u32()];
  request.u64();
  const size = request.u64();
  const time = (): bigint => request.u64() * 1_000_000_000n + request.u64();
  const [atime, mtime] = [time(), time()];
  if ((valid & SETATTR.MODE) !== 0) folder.setPermissions(path, mode & 0o7777);
  if ((valid & SETATTR.SIZE) !== 0) resize(session, path, file, positionOf(size));
  if ((valid & (SETATTR.ATIME | SETATTR.MTIME)) === 0) return;
  const chosen = (which: number, set: number, given: bigint): bigint | undefined =>
    (valid & which) === 0 ? undefined : (valid & set) === 0 ? session.parts.now() : given;
  folder.setTimes(path, {
    atime: chosen(SETATTR.ATIME, SETATTR.ATIME_SET, atime),
    mtime: chosen(SETATTR.MTIME, SETATTR.MTIME_SET, mtime),
  });
}

function resize(
  session: NinePSession,
  path: FolderPath,
  open: { setLength(length: number): void } | undefined,
  size: number,
): void {
  if (open !== undefined) {
    open.setLength(size);
    return;
  }
  const file = session.parts.folder.open(path, { writing: true });
  try {
    file.setLength(size);
  } finally {
    file.close();
  }
}

function synchronise(session: NinePSession, request: MessageReader): void | Promise<void> {
  const { path, file } = session.fids.get(request.u32());
  return file === undefined ? session.parts.folder.flush(path) : file.flush('all');
}

function rename(session: NinePSession, from: FolderPath, to: FolderPath): void {
  session.parts.folder.rename(from, to);
  session.fids.renamed(from, to);
}

function remove(session: NinePSession, path: FolderPath): void {
  const { folder } = session.parts;
  if (path.length === 0) throw new XenError('EBUSY', 'the root stays');
  if (isDirectory(folder.status(path))) folder.removeDirectory(path);
  else folder.unlink(path);
}

function statistics(session: NinePSession, _: MessageReader, answer: MessageWriter): void {
  const { blockSize, blocks, freeBlocks, files, freeFiles } = session.parts.folder.space();
  answer.u32(V9FS_MAGIC).u32(blockSize).u64(blocks).u64(freeBlocks).u64(freeBlocks);
  answer.u64(files).u64(freeFiles).u64(0n).u32(255);
}

const notSupported =
  (what: string): Handler =>
  () => {
    throw new XenError('EOPNOTSUPP', `${what}: not supported`);
  };

/** By type: 9P2000.L's requests, whose answers are one more. */
export const requests: Readonly<Record<number, Row>> = {
  8: { name: 'Tstatfs', run: statistics },
  12: { name: 'Tlopen', run: open },
  14: { name: 'Tlcreate', changes: true, run: create },
  16: {
    name: 'Tsymlink',
    changes: true,
    run: (session, request, answer) => {
      const path = session.nameIn(request.u32(), request.text());
      session.parts.folder.makeLink(path, request.text());
      answer.qid(session.qid(path));
    },
  },
  18: { name: 'Tmknod', changes: true, run: notSupported('device nodes') },
  20: {
    name: 'Trename',
    changes: true,
    run: (session, request) => {
      const { path } = session.fids.get(request.u32());
      const directory = request.u32();
      rename(session, path, session.nameIn(directory, request.text()));
    },
  },
  22: {
    name: 'Treadlink',
    run: (session, request, answer) => {
      answer.text(session.parts.folder.readLink(session.fids.get(request.u32()).path));
    },
  },
  24: { name: 'Tgetattr', run: getAttributes },
  26: { name: 'Tsetattr', changes: true, run: setAttributes },
  30: { name: 'Txattrwalk', run: notSupported('extended attributes') },
  32: { name: 'Txattrcreate', changes: true, run: notSupported('extended attributes') },
  40: { name: 'Treaddir', run: readDirectory },
  50: { name: 'Tfsync', run: synchronise },
  // One client at a time has the folder, and its kernel keeps its locks among its own.
  52: { name: 'Tlock', run: (_session, _request, answer) => void answer.u8(LOCK_SUCCESS) },
  54: {
    name: 'Tgetlock',
    run: (session, request, answer) => {
      session.fids.get(request.u32());
      request.u8();
      const [start, length, process] = [request.u64(), request.u64(), request.u32()];
      answer.u8(F_UNLCK).u64(start).u64(length).u32(process).text(request.text());
    },
  },
  70: {
    name: 'Tlink',
    changes: true,
    run: (session, request) => {
      const directory = request.u32();
      const { path } = session.fids.get(request.u32());
      session.parts.folder.link(path, session.nameIn(directory, request.text()));
    },
  },
  72: {
    name: 'Tmkdir',
    changes: true,
    run: (session, request, answer) => {
      const path = session.nameIn(request.u32(), request.text());
      session.parts.folder.makeDirectory(path, request.u32() & 0o7777);
      answer.qid(session.qid(path));
    },
  },
  74: {
    name: 'Trenameat',
    changes: true,
    run: (session, request) => {
      const from = session.nameIn(request.u32(), request.text());
      rename(session, from, session.nameIn(request.u32(), request.text()));
    },
  },
  76: {
    name: 'Tunlinkat',
    changes: true,
    run: (session, request) => {
      const path = session.nameIn(request.u32(), request.text());
      const isForDirectories = (request.u32() & AT_REMOVEDIR) !== 0;
      const { folder } = session.parts;
      if (isForDirectories) folder.removeDirectory(path);
      else folder.unlink(path);
    },
  },
  [TVERSION]: { name: 'Tversion', run: version },
  102: {
    name: 'Tauth',
    run: () => {
      throw new XenError('ENOENT', 'nobody needs to say who he is');
    },
  },
  104: { name: 'Tattach', run: attach },
  // Whatever it was has been answered before this was looked at.
  108: { name: 'Tflush', run: () => {} },
  110: { name: 'Twalk', run: walk },
  116: { name: 'Tread', run: read },
  118: { name: 'Twrite', changes: true, run: write },
  120: { name: 'Tclunk', run: (session, request) => void session.fids.clunk(request.u32()) },
  122: {
    name: 'Tremove',
    changes: true,
    run: (session, request) => remove(session, session.fids.clunk(request.u32()).path),
  },
};
