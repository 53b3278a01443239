/**
 * Megabytes a second that the block back-end serves from a raw file in the page cache, to a front-end that keeps its ring full of
 * 44 KiB requests on pages that lie apart, beside Node doing the same to the file itself.
 */
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { BLKIF_OP, blkif_request } from '../../runtime/abi/io/blkif.ts';
import { systemClock } from '../../runtime/domain/clock.ts';
import { openDisk } from '../../runtime/host/node/file-disk.ts';
import { BlockFrontEnd } from '../support/block-front-end.ts';
import { random } from '../support/random.ts';
import { median } from './ratios.ts';

/** Eleven whole pages: the most that a request holds without indirect segments. */
const requestBytes = 11 * 4096;
const fileBytes = 2048 * requestBytes;
const sectorsInRequest = requestBytes / 512;

export const blockTargets = { read: 400, written: 200 } as const;

export interface BlockSpeed {
  readonly read: number;
  readonly written: number;
  readonly node: { readonly read: number; readonly written: number };
}

export async function measureBlock(options: {
  readonly runs: number;
  readonly directory: string;
}): Promise<BlockSpeed> {
  const path = join(options.directory, 'block.img');
  const block = random(1).bytes(requestBytes);
  writeFileSync(path, Buffer.concat(Array.from({ length: fileBytes / requestBytes }, () => block)));
  const speeds = {
    ...{ read: [] as number[], written: [] as number[] },
    ...{ nodeRead: [] as number[], nodeWritten: [] as number[] },
  };
  for (let run = 0; run < options.runs; run++) {
    speeds.read.push(await serve(path, BLKIF_OP.READ));
    speeds.written.push(await serve(path, BLKIF_OP.WRITE));
    speeds.nodeRead.push(direct(path, readSync));
    speeds.nodeWritten.push(direct(path, writeSync));
  }
  return {
    ...{ read: median(speeds.read), written: median(speeds.written) },
    node: { read: median(speeds.nodeRead), written: median(speeds.nodeWritten) },
  };
}

async function serve(path: string, operation: number): Promise<number> {
  const disk = await openDisk(path, 'rw');
  const front = new BlockFrontEnd(disk, { clock: systemClock() });
  const requests = Array.from({ length: front.size }, (_, n) => requestOf(front, operation, n));
  const count = fileBytes / requestBytes;
  const start = performance.now();
  for (let [asked, answered] = [0, 0]; answered < count; ) {
    for (; asked < count && asked - answered < front.size; asked++) {
      const { bytes, view } = requests[asked % front.size] ?? requestOf(front, operation, 0);
      view.setUint32(
        blkif_request.layout(64).offsets.sector_number,
        asked * sectorsInRequest,
        true,
      );
      front.queueBytes(bytes);
    }
    front.push();
    answered += (await front.answers(1)).filter(({ status }) => status === 0).length;
  }
  const seconds = (performance.now() - start) / 1e3;
  await front.backend.close();
  await disk.close();
  return fileBytes / 1e6 / seconds;
}

function requestOf(
  front: BlockFrontEnd,
  operation: number,
  id: number,
): { bytes: Uint8Array; view: DataView } {
  const seg = front.whole(Array.from({ length: 11 }, () => front.grants.page()));
  const bytes = new Uint8Array(blkif_request.size(64));
  const request = { operation, id: BigInt(id), seg, nr_segments: seg.length };
  Object.assign(blkif_request.layout(64).at(bytes, 0), request);
  return { bytes, view: new DataView(bytes.buffer) };
}

function direct(
  path: string,
  move: (fd: number, buffer: Uint8Array, offset: number, length: number, at: number) => number,
): number {
  const fd = openSync(path, 'r+');
  const buffer = new Uint8Array(requestBytes);
  const start = performance.now();
  for (let at = 0; at < fileBytes; at += requestBytes) move(fd, buffer, 0, requestBytes, at);
  const seconds = (performance.now() - start) / 1e3;
  closeSync(fd);
  return fileBytes / 1e6 / seconds;
}

export function blockText({ read, written, node }: BlockSpeed): string {
  const line = (what: 'read' | 'written', speed: number, own: number): string =>
    `block ${what}, 44 KiB requests: ${Math.round(speed)} MB/s, Node itself ${Math.round(own)}; target ${blockTargets[what]}: ${speed >= blockTargets[what] ? 'met' : 'not met'}`;
  return [line('read', read, node.read), line('written', written, node.written)].join('\n');
}
