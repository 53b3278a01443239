/** A front-end that lies: random rings, grants and indices. Nothing is thrown, nothing foreign is touched, everything ends. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CopyOnWriteDisk } from '../../../../runtime/backends/block/copy-on-write-disk.ts';
import type { Disk } from '../../../../runtime/backends/block/disk.ts';
import { MemoryDisk } from '../../../../runtime/backends/block/memory-disk.ts';
import { BlockFrontEnd } from '../../../support/block-front-end.ts';
import { LateDisk } from '../../../support/late-disk.ts';
import { freshSeed, type Random, random } from '../../../support/random.ts';

const fuzz = suite('runtime/backends/block/block-fuzz');

const cases = 24_000;
const casesInRing = 300;
const diskSectors = 128;

const seed = freshSeed();
process.stdout.write(`block-fuzz: SEED=${seed}\n`);

const any = (r: Random): number => [0, 1, 2, 3, 5, 6][r.below(7)] ?? r.below(256);
const small = (r: Random): number => (r.below(8) === 0 ? r.below(256) : r.below(9));
const sector = (r: Random): bigint =>
  r.below(10) === 0 ? BigInt.asUintN(64, r.bigint64()) : BigInt(r.below(diskSectors + 8));

interface Guest {
  readonly front: BlockFrontEnd;
  /** The references that mean something, and some that do not. */
  readonly references: readonly number[];
  /** Its pages full of segments. */
  readonly lists: readonly { readonly gref: number; readonly host: number }[];
}

function makeGuest(disk: Disk, r: Random, onAnswer: (text: string) => void): Guest {
  const width = r.below(2) === 0 ? 64 : 32;
  const front = new BlockFrontEnd(disk, {
    ...{ width, ringPages: 2 ** r.below(3), isPersistent: r.below(2) === 0 },
    trace: ({ text }) => onAnswer(text),
  });
  const pages = [...front.grants.pages(6), front.grants.page('read'), front.grants.page('read')];
  const lists = Array.from({ length: 3 }, () => front.grants.page());
  const known = [...pages, ...lists].map(({ gref }) => gref);
  return { front, lists, references: [...known, ...front.references, 0, 1, 4_000_000_000] };
}

/** Eight bytes: a grant, its first and last sector. */
function putSegment(view: DataView, at: number, { references }: Guest, r: Random): void {
  view.setUint32(at, references[r.below(references.length)] ?? 0, true);
  const first = small(r);
  view.setUint8(at + 4, first);
  view.setUint8(at + 5, r.below(4) === 0 ? small(r) : Math.min(first + r.below(8), 255));
}

/** Bytes of a request of some kind, most of whose fields are likely. */
function requestBytes(guest: Guest, r: Random): Uint8Array {
  const { width } = guest.front;
  const bytes = new Uint8Array(width === 64 ? 112 : 108);
  const view = new DataView(bytes.buffer);
  const id = width === 64 ? 8 : 4;
  const operation = any(r);
  view.setUint8(0, operation);
  view.setUint8(1, operation === 6 ? r.below(4) : small(r));
  if (operation === 6) view.setUint16(2, r.below(4) === 0 ? r.below(65536) : r.below(40), true);
  view.setBigUint64(id, r.bigint64(), true);
  view.setBigUint64(id + 8, sector(r), true);
  const rest = id + 16;
  if (operation === 5) view.setBigUint64(rest, sector(r), true);
  else if (operation === 6)
    for (let n = 0; n < 8; n++)
      view.setUint32(rest + 4 + 4 * n, guest.lists[r.below(3)]?.gref ?? 0, true);
  else for (let n = 0; n < 11; n++) putSegment(view, rest + 8 * n, guest, r);
  return bytes;
}

function lie(guest: Guest, r: Random): void {
  const { front, lists } = guest;
  const kind = r.below(100);
  if (kind < 90) {
    if ((front.produced - front.consumed) >>> 0 < front.size)
      front.queueBytes(requestBytes(guest, r));
    for (const { host } of lists)
      putSegment(front.memory.view(), host + 8 * r.below(512), guest, r);
  } else if (kind < 94) {
    const host = front.pages[r.below(front.pages.length)] ?? 0;
    front.memory.bytes().set(r.bytes(200), host + 64 + r.below(3800));
  } else if (kind < 97) front.setIndex('rsp_event', r.u32());
  else if (kind < 98) front.setIndex('rsp_prod', r.u32());
  else if (kind === 99 && r.below(10) === 0) front.setIndex('req_prod', r.u32());
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The machine's memory, without what the guest has granted. */
function foreign({ front }: Guest): Buffer {
  const bytes = Buffer.from(front.memory.bytes());
  for (const host of front.grants.hosts()) bytes.fill(0, host, host + 4096);
  return bytes;
}

/** Steps over what has been answered, as far as the ring still makes sense. */
function skipAnswers(front: BlockFrontEnd): void {
  const answered = (front.index('rsp_prod') - front.consumed) >>> 0;
  if (answered <= front.size) front.consumed = front.index('rsp_prod');
}

const disks: readonly (readonly [string, (bytes: Uint8Array, r: Random) => Disk])[] = [
  ['at once', (bytes) => new MemoryDisk(bytes)],
  ['later', (bytes, r) => new LateDisk(new MemoryDisk(bytes), r.u32())],
  ['copy-on-write', (bytes) => new CopyOnWriteDisk(new MemoryDisk(bytes, { isReadOnly: true }))],
  ['read-only', (bytes) => new MemoryDisk(bytes, { isReadOnly: true })],
];

for (const [kind, make] of disks)
  fuzz(`${cases} lies to a disk that is ${kind}`, async () => {
    const r = random(seed);
    const answers = { OKAY: 0, ERROR: 0, EOPNOTSUPP: 0 };
    for (let ring = 0; ring < cases / casesInRing; ring++) {
      const disk = make(new Uint8Array(diskSectors * 512), r);
      const guest = makeGuest(disk, r, (text) => {
        const [, status] = / = (OKAY|ERROR|EOPNOTSUPP)\b/.exec(text) ?? [];
        if (status === undefined || !isAnswer(status)) throw new Error(text);
        answers[status]++;
      });
      const { front } = guest;
      const before = foreign(guest);
      for (let step = 0; step < casesInRing; step++) {
        lie(guest, r);
        if (r.below(3) === 0) front.setIndex('req_prod', front.produced);
        front.port.send();
        if (r.below(10) === 0) await turn();
        skipAnswers(front);
      }
      await front.backend.close();
      assert.is(front.grants.mapped, 0, `seed ${seed}, ring ${ring}`);
      assert.ok(foreign(guest).equals(before), `seed ${seed}, ring ${ring}: foreign memory`);
    }
    const { OKAY, ERROR, EOPNOTSUPP } = answers;
    const text = `too tame: ${JSON.stringify(answers)}`;
    assert.ok(OKAY > 500 && ERROR > 500 && EOPNOTSUPP > 500, text);
  });

const isAnswer = (text: string): text is 'OKAY' | 'ERROR' | 'EOPNOTSUPP' =>
  ['OKAY', 'ERROR', 'EOPNOTSUPP'].includes(text);

fuzz.run();
