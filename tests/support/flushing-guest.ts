/** A process in which a front-end flushes the raw file it is given, as often as it is told; for strace to watch. */
import { BLKIF_OP } from '../../runtime/abi/io/blkif.ts';
import { openDisk } from '../../runtime/host/node/file-disk.ts';
import { BlockFrontEnd } from './block-front-end.ts';

const [, , image = '', count = '0'] = process.argv;
const disk = await openDisk(image, 'rw');
const front = new BlockFrontEnd(disk);
const whole = front.whole([front.grants.page()]);
for (let n = 0; n < Number(count); n++) {
  front.queue(BLKIF_OP.WRITE, BigInt(2 * n), n, whole);
  front.queue(BLKIF_OP.FLUSH_DISKCACHE, BigInt(2 * n + 1), 0);
  front.push();
  await front.answers(2);
}
await front.backend.close();
await disk.close();
