/** A flush is a flush: whatever a host's crash takes, it is nothing that was flushed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BLKIF_OP } from '../../../../runtime/abi/io/blkif.ts';
import type { Disk } from '../../../../runtime/backends/block/disk.ts';
import { BlockFrontEnd } from '../../../support/block-front-end.ts';
import { LateDisk } from '../../../support/late-disk.ts';
import { freshSeed, type Random, random } from '../../../support/random.ts';
import { VolatileDisk } from '../../../support/volatile-disk.ts';

const flushes = suite('runtime/backends/block/flush');

const crashes = 1000;
const sectors = 64;
const { WRITE, WRITE_BARRIER, FLUSH_DISKCACHE } = BLKIF_OP;

interface Asked {
  readonly operation: number;
  readonly sector: number | undefined;
  readonly value: number;
  /** What was answered before this was asked: it is what a flush answers for. */
  readonly answered: readonly number[];
}

/** A front-end that keeps writing numbers into sectors, and knows what has been flushed. */
class Writer {
  readonly #front: BlockFrontEnd;
  readonly #asked = new Map<bigint, Asked>();
  /** The newest number whose write was answered, by sector. Numbers grow. */
  readonly #answered: number[] = new Array(sectors).fill(0);
  /** The newest number that must be there after a crash. */
  readonly flushed: number[] = new Array(sectors).fill(0);
  #next = 1;

  constructor(disk: Disk) {
    this.#front = new BlockFrontEnd(disk);
  }

  /** One sector, unless it is a flush alone. Sectors with a request under way wait, since their order would be open. */
  ask(operation: number, at: number | undefined): void {
    this.#take();
    const isBusy = [...this.#asked.values()].some(
      ({ sector }) => sector !== undefined && sector === at,
    );
    if (isBusy || this.#asked.size === this.#front.size) return;
    const value = this.#next++;
    const id = BigInt(value);
    if (at === undefined) this.#front.queue(operation, id, 0);
    else {
      const page = this.#front.grants.page();
      this.#front.memory.view().setUint32(page.host, value, true);
      this.#front.queue(operation, id, at, [{ gref: page.gref, first_sect: 0, last_sect: 0 }]);
    }
    this.#asked.set(id, { operation, sector: at, value, answered: [...this.#answered] });
    this.#front.push();
    this.#take();
  }

  /** Looks at what has been answered: to be done just before the crash, too. */
  #take(): void {
    for (const { id, status } of this.#front.take()) {
      const asked = this.#asked.get(id);
      if (asked === undefined || status !== 0) throw new Error(`answer ${id}: ${status}`);
      this.#asked.delete(id);
      const { sector, value, operation, answered } = asked;
      if (sector !== undefined)
        this.#answered[sector] = Math.max(this.#answered[sector] ?? 0, value);
      if (operation === WRITE) continue;
      const safe = answered.map((one, n) => (n === sector ? value : one));
      for (const [n, one] of safe.entries()) this.flushed[n] = Math.max(this.flushed[n] ?? 0, one);
    }
  }

  look(): void {
    this.#take();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Writes and flushes for a while; then what the host's crash leaves must have all that was flushed. How much that was. */
async function crash(disk: VolatileDisk, writer: Writer, r: Random, name: string): Promise<number> {
  for (let steps = r.below(60); steps >= 0; steps--) {
    const operation = [WRITE, WRITE, WRITE, WRITE_BARRIER, FLUSH_DISKCACHE][r.below(5)] ?? WRITE;
    const isAlone = operation !== WRITE && r.below(3) > 0;
    writer.ask(operation, isAlone ? undefined : r.below(sectors));
    for (let turns = r.below(5) - 1; turns > 0; turns--) await turn();
  }
  writer.look();
  const stable = new DataView(disk.stable.slice().buffer);
  for (const [sector, value] of writer.flushed.entries()) {
    const found = stable.getUint32(sector * 512, true);
    assert.ok(found >= value, `${name}, sector ${sector}: ${found}, not ${value}`);
  }
  return writer.flushed.filter((value) => value > 0).length;
}

const kinds: readonly (readonly [string, (disk: Disk, seed: number) => Disk])[] = [
  ['at once', (disk) => disk],
  ['later', (disk, seed) => new LateDisk(disk, seed)],
];

for (const [kind, wrap] of kinds)
  flushes(
    `of ${crashes} crashes none loses what was flushed to a disk that answers ${kind}`,
    async () => {
      const seed = freshSeed();
      const r = random(seed);
      let atStake = 0;
      for (let n = 0; n < crashes; n++) {
        const disk = new VolatileDisk(sectors);
        const writer = new Writer(wrap(disk, r.u32()));
        atStake += await crash(disk, writer, r, `seed ${seed}, crash ${n}`);
      }
      assert.ok(atStake > crashes, `only ${atStake} sectors were flushed in all`);
    },
  );

flushes.run();
