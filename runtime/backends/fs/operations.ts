/**
 * The requests of fsif (xen/io/fsif.h), by type: what each asks of the folder, and its answer, below 0 a negated errno of Linux's.
 * `detail` is for traces.
 */
import {
  ERROR,
  fsif_chmod_request,
  fsif_close_request,
  fsif_create_request,
  fsif_list_request,
  fsif_open_request,
  fsif_read_request,
  fsif_rename_request,
  fsif_truncate_request,
  HAS_MORE,
  mostReferences,
  NR_FILES,
  REQ,
} from '../../abi/io/fsif.ts';
import { XenError } from '../../errors.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import { type FileStatus, isDirectory, longestName } from '../folder/folder.ts';
import { linuxErrno } from '../p9/linux-errno.ts';
import type { FsSession } from './fs-session.ts';
import { resolve } from './paths.ts';

export type FsAnswer = bigint | FileStatus;

export interface FsRequest {
  readonly name: string;
  /** `fd:3 len:4096 offset:0` */
  readonly detail: string;
  readonly changes: boolean;
  run(session: FsSession): FsAnswer | Promise<FsAnswer>;
}

/** Bytes of a request, from its own struct on, with all references that may stand there. */
export const requestBody = fsif_read_request.layout(64).offsets.grefs + 4 * mostReferences;

/** Takes a request's own struct apart, which is a copy. */
type Reader = (body: Uint8Array) => Pick<FsRequest, 'detail' | 'run'>;

interface Row {
  readonly name: keyof typeof REQ;
  readonly changes?: boolean;
  readonly read: Reader;
}

const open: Reader = (body) => {
  const { gref } = fsif_open_request.layout(64).at(body, 0);
  return {
    detail: `gref:${gref}`,
    run: (session) => {
      const path = resolve(session.folder, textOf(session, gref), 'follow');
      return BigInt(session.add(() => session.open(path)));
    },
  };
};

const close: Reader = (body) => {
  const { fd } = fsif_close_request.layout(64).at(body, 0);
  return {
    detail: `fd:${fd}`,
    run: (session) => {
      session.closeOne(fd);
      return 0n;
    },
  };
};

interface Extent {
  readonly fd: number;
  readonly length: number;
  readonly offset: number;
  readonly references: readonly number[];
}

/** Of a read or a write; EINVAL where there are not as many references as its length needs. */
function extentOf(body: Uint8Array): { readonly detail: string; readonly extent: () => Extent } {
  const layout = fsif_read_request.layout(64);
  const { fd, len, offset } = layout.at(body, 0);
  const extent = (): Extent => {
    if (len > BigInt(mostReferences * pageSize) || offset > BigInt(Number.MAX_SAFE_INTEGER))
      throw new XenError('EINVAL', `${len} bytes at ${offset}`);
    const view = new DataView(body.buffer, body.byteOffset + layout.offsets.grefs);
    const count = Math.ceil(Number(len) / pageSize);
    const references = Array.from({ length: count }, (_, n) => view.getUint32(4 * n, true));
    return { fd, length: Number(len), offset: Number(offset), references };
  };
  return { detail: `fd:${fd} len:${len} offset:${offset}`, extent };
}

const read: Reader = (body) => {
  const { detail, extent } = extentOf(body);
  return {
    detail,
    run: (session) => {
      const { fd, length, offset, references } = extent();
      const bytes = new Uint8Array(length);
      const got = session.file(fd).read(offset, bytes);
      session.pages.write(references.slice(0, Math.ceil(got / pageSize)), bytes.subarray(0, got));
      return BigInt(got);
    },
  };
};

const write: Reader = (body) => {
  const { detail, extent } = extentOf(body);
  return {
    detail,
    run: (session) => {
      const { fd, length, offset, references } = extent();
      const bytes = session.pages.read(references, length);
      return BigInt(session.file(fd).write(offset, bytes));
    },
  };
};

const stat: Reader = (body) => {
  const { fd } = fsif_close_request.layout(64).at(body, 0);
  return { detail: `fd:${fd}`, run: (session) => session.status(fd) };
};

const truncate: Reader = (body) => {
  const { fd, length } = fsif_truncate_request.layout(64).at(body, 0);
  return {
    detail: `fd:${fd} length:${length}`,
    run: (session) => {
      if (length < 0n || length > BigInt(Number.MAX_SAFE_INTEGER))
        throw new XenError('EINVAL', `a length of ${length}`);
      session.file(fd).setLength(Number(length));
      return 0n;
    },
  };
};

const remove: Reader = (body) => {
  const { gref } = fsif_open_request.layout(64).at(body, 0);
  return {
    detail: `gref:${gref}`,
    run: ({ folder, pages }) => {
      const [text = ''] = pages.texts(gref, [0]);
      const path = resolve(folder, text, 'keep');
      const { mode } = folder.status(path);
      if (isDirectory({ mode })) folder.removeDirectory(path);
      else folder.unlink(path);
      return 0n;
    },
  };
};

const rename: Reader = (body) => {
  const layout = fsif_rename_request.layout(64);
  const { old_name_offset: from, new_name_offset: to, gref } = layout.at(body, 0);
  return {
    detail: `gref:${gref}`,
    run: ({ folder, pages }) => {
      const [old = '', name = ''] = pages.texts(gref, [from, to]);
      folder.rename(resolve(folder, old, 'keep'), resolve(folder, name, 'keep'));
      return 0n;
    },
  };
};

/** A file is opened, too, and loses what it had. */
const create: Reader = (body) => {
  const { directory, mode, gref } = fsif_create_request.layout(64).at(body, 0);
  const permissions = mode & 0o777;
  return {
    detail: `directory:${directory} mode:0${permissions.toString(8)} gref:${gref}`,
    run: (session) => {
      const { folder } = session;
      const path = resolve(folder, textOf(session, gref), directory === 0 ? 'follow' : 'keep');
      if (directory !== 0) {
        folder.makeDirectory(path, permissions);
        return 0n;
      }
      const wish = { writing: true, create: permissions, truncate: true };
      return BigInt(session.add(() => ({ file: folder.open(path, wish) })));
    },
  };
};

/** Names from the one of that number on, as many as fit; how many, and whether there are more. */
const list: Reader = (body) => {
  const { offset, gref } = fsif_list_request.layout(64).at(body, 0);
  return {
    detail: `offset:${offset} gref:${gref}`,
    run: (session) => {
      const { folder, pages } = session;
      try {
        const path = resolve(folder, textOf(session, gref), 'follow');
        const names = ['.', '..', ...folder.list(path).map(({ name }) => name)];
        const { bytes, count } = packed(names.slice(offset));
        pages.write([gref], bytes);
        const more = offset + count < names.length ? 1n << BigInt(HAS_MORE.SHIFT) : 0n;
        return BigInt(count << NR_FILES.SHIFT) | more;
      } catch (error) {
        if (!(error instanceof XenError)) throw error;
        return BigInt(linuxErrno(error.errno)) << BigInt(ERROR.SHIFT);
      }
    },
  };
};

function packed(names: readonly string[]): {
  readonly bytes: Uint8Array;
  readonly count: number;
} {
  const bytes = new Uint8Array(pageSize);
  let [count, at] = [0, 0];
  for (const name of names) {
    if (at + longestName + 1 > pageSize) break;
    bytes.set(
      Uint8Array.from(name, (char) => char.charCodeAt(0)),
      at,
    );
    at += name.length + 1;
    count++;
  }
  return { bytes: bytes.subarray(0, at), count };
}

const chmod: Reader = (body) => {
  const { fd, mode } = fsif_chmod_request.layout(64).at(body, 0);
  return {
    detail: `fd:${fd} mode:0${(mode & 0o7777).toString(8)}`,
    run: (session) => {
      session.setPermissions(fd, mode & 0o7777);
      return 0n;
    },
  };
};

/** Bytes that are free. */
const space: Reader = (body) => {
  const { gref } = fsif_open_request.layout(64).at(body, 0);
  return {
    detail: `gref:${gref}`,
    run: (session) => {
      session.folder.status(resolve(session.folder, textOf(session, gref), 'follow'));
      const { blockSize, freeBlocks } = session.folder.space();
      return BigInt(blockSize) * freeBlocks;
    },
  };
};

const sync: Reader = (body) => {
  const { fd } = fsif_close_request.layout(64).at(body, 0);
  return {
    detail: `fd:${fd}`,
    run: (session) => session.flush(fd)?.then(() => 0n) ?? 0n,
  };
};

// biome-ignore format: a table
const rows: readonly Row[] = [
  { name: 'FILE_OPEN', read: open },
  { name: 'FILE_CLOSE', read: close },
  { name: 'FILE_READ', read },
  { name: 'FILE_WRITE', changes: true, read: write },
  { name: 'STAT', read: stat },
  { name: 'FILE_TRUNCATE', changes: true, read: truncate },
  { name: 'REMOVE', changes: true, read: remove },
  { name: 'RENAME', changes: true, read: rename },
  { name: 'CREATE', changes: true, read: create },
  { name: 'DIR_LIST', read: list },
  { name: 'CHMOD', changes: true, read: chmod },
  { name: 'FS_SPACE', read: space },
  { name: 'FILE_SYNC', read: sync },
];

const operations = new Map<number, Row>(rows.map((row) => [REQ[row.name], row]));

/** Of a request that is a copy, from its own struct on. */
export function readRequest(type: number, body: Uint8Array): FsRequest {
  const row = operations.get(type);
  if (row === undefined) return unknownRequest(type);
  const { name, changes = false } = row;
  return { name, changes, ...row.read(body) };
}

const unknownRequest = (type: number): FsRequest => ({
  ...{ name: `request ${type}`, detail: '', changes: false },
  run: () => {
    throw new XenError('EOPNOTSUPP', `no request ${type}`);
  },
});

/** What is wrong with the guest's request, or denied to it, as its answer. */
export function answerTo(session: FsSession, request: FsRequest): ReturnType<FsRequest['run']> {
  try {
    if (request.changes && session.isReadOnly) throw new XenError('EROFS', 'read-only');
    const answer = request.run(session);
    return answer instanceof Promise ? answer.catch(negated) : answer;
  } catch (error) {
    return negated(error);
  }
}

function negated(error: unknown): bigint {
  if (!(error instanceof XenError)) throw error;
  return BigInt(-linuxErrno(error.errno));
}

const textOf = ({ pages }: FsSession, reference: number): string =>
  pages.texts(reference, [0])[0] ?? '';
