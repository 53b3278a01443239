/**
 * A server of 9P2000.L (Linux: Documentation/filesystems/9p, include/net/9p/9p.h) on a folder: a message in, its answer out.
 * A guest names every place by a walk from the root of what it was given, and no name leads out of that.
 */
import { XenError } from '../../errors.ts';
import type { FileStatus, Folder, FolderPath } from '../folder/folder.ts';
import { Fids } from './fids.ts';
import { linuxErrno } from './linux-errno.ts';
import { qidOf } from './qid.ts';
import { requests } from './requests.ts';
import { dataOverhead, MessageReader, MessageWriter, type Qid } from './wire.ts';

export interface SessionParts {
  readonly folder: Folder;
  readonly isReadOnly: boolean;
  /** The longest message that the transport carries. */
  readonly longest: number;
  /** Nanoseconds since 1970, UTC. */
  now(): bigint;
}

const RLERROR = 7;

export class NinePSession {
  readonly parts: SessionParts;
  readonly fids = new Fids();
  #longest: number;

  constructor(parts: SessionParts) {
    this.parts = parts;
    this.#longest = parts.longest;
  }

  /** The longest message that both have agreed on. */
  get longest(): number {
    return this.#longest;
  }

  /** Bytes that an answer's data may have. */
  room(asked: number): number {
    return Math.min(asked, this.#longest - dataOverhead);
  }

  agree(longest: number): number {
    this.#longest = Math.min(longest, this.parts.longest);
    this.fids.clear();
    return this.#longest;
  }

  /** Of a whole message; never throws because of what the guest has written. */
  answer(message: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    const [type, tag] = [view.getUint8(4), view.getUint16(5, true)];
    const answer = new MessageWriter();
    try {
      const row = requests[type];
      if (row === undefined) throw new XenError('EOPNOTSUPP', `no request ${type}`);
      if (row.changes && this.parts.isReadOnly)
        throw new XenError('EROFS', `${row.name}: read-only`);
      const done = row.run(this, new MessageReader(message), answer);
      if (done === undefined) return answer.finish(type + 1, tag);
      return done.then(
        () => answer.finish(type + 1, tag),
        (error: unknown) => this.#failed(error, tag),
      );
    } catch (error) {
      return this.#failed(error, tag);
    }
  }

  close(): void {
    this.fids.clear();
  }

  status(path: FolderPath): FileStatus {
    return this.parts.folder.status(path);
  }

  qid(path: FolderPath): Qid {
    return qidOf(this.status(path));
  }

  /** A name in a directory that a fid is; none that leads anywhere else. */
  nameIn(fid: number, name: string): FolderPath {
    if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
      throw new XenError('EINVAL', `the name ${JSON.stringify(name)}`);
    return [...this.fids.get(fid).path, name];
  }

  #failed(error: unknown, tag: number): Uint8Array {
    if (!(error instanceof XenError)) throw error;
    return new MessageWriter().u32(linuxErrno(error.errno)).finish(RLERROR, tag);
  }
}
