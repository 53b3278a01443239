/** What a server of 9P says a file is: its kind, its number, and a version for caches. */
import { type FileStatus, isDirectory, isLink } from '../folder/folder.ts';
import { QID, type Qid } from './wire.ts';

export const qidType = (status: { readonly mode: number }): number =>
  isDirectory(status) ? QID.DIRECTORY : isLink(status) ? QID.LINK : QID.FILE;

export function qidOf(status: FileStatus): Qid {
  // Changes whenever the content may have; caches ask no more.
  const version = Number(BigInt.asUintN(32, status.mtime ^ (status.size << 16n)));
  return { type: qidType(status), version, path: status.ino };
}
