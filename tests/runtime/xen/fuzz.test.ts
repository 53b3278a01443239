/**
 * A guest that lies: tens of thousands of hostile hypercalls. Each is answered as Xen answers, or ends the domain; its page tables
 * lead to nothing that it does not own or has not been granted, and another domain's memory stays what it was.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XEN_ERRNO } from '../../../runtime/abi/errno.ts';
import { GTF } from '../../../runtime/abi/grant-table.ts';
import { XenError } from '../../../runtime/errors.ts';
import { pageSize } from '../../../runtime/memory/machine-memory.ts';
import { type FrameType, frameTypes } from '../../../runtime/xen/frames.ts';
import { type HostileCall, HostileCalls } from '../../support/hostile-calls.ts';
import { freshSeed, type Random, random } from '../../support/random.ts';
import { attackerId, victimId, XenMachine } from '../../support/xen-machine.ts';

const fuzz = suite('runtime/xen/fuzz');

const cases = Number(process.env['STUBDOM_FUZZ'] ?? 15_000);
const casesInDomain = 600;
const seed = Number(process.env['STUBDOM_SEED'] ?? freshSeed());
process.stdout.write(`xen/fuzz: SEED=${seed}\n`);

const errnos: ReadonlySet<number> = new Set(Object.values(XEN_ERRNO));

/** Of the victim's, behind the reserved ones: two pages that may be written, two that may be read. */
const grants = 4;
const firstReference = 8;
const grantedPages = [200, 201, 202, 203];

function grantSome({ victim, attacker }: XenMachine): ReadonlySet<number> {
  victim.parts.grants.entries.grow(1);
  attacker.parts.grants.entries.grow(1);
  const frames = grantedPages.map((pfn) => victim.built.frames[pfn] ?? 0);
  for (const [n, frame] of frames.entries()) {
    const flags = GTF.permit_access | (n < 2 ? 0 : GTF.readonly);
    victim.parts.grants.entries.writeEntry(firstReference + n, flags, attackerId, frame);
  }
  return new Set(frames);
}

/** Frames of the victim's that change though nobody touches its memory: what it granted, and what Xen writes for it. */
const openFrames = ({ victim }: XenMachine, granted: ReadonlySet<number>): ReadonlySet<number> => {
  const { sharedFrames, statusFrames } = victim.parts.grants.entries;
  const { sharedInfo } = victim.built;
  return new Set([...[...granted].slice(0, 2), ...sharedFrames, ...statusFrames, sharedInfo]);
};

interface Leaf {
  readonly frame: number;
  readonly isWritable: boolean;
}

/**
 * Xen's part of a table, by what the frame is and not by where the walk is: a table that leads to itself is met a level lower. Of a
 * level-4 table, and of the level-2 table of PAE's last gigabyte (0xf5800000 on).
 */
const isXens = (type: FrameType, index: number): boolean =>
  type === frameTypes.l4
    ? index >= 256 && index < 272
    : type === frameTypes.l2OfXen && index >= 0x1ac;

/** The entries that are there, but for Xen's. */
function entriesOf({ frames, width }: XenMachine, frame: number, level: number): Leaf[] {
  const host = frames.hostOf(frame) ?? 0;
  const count = width === 32 && level === 3 ? 4 : 512;
  const view = frames.memory.view();
  return Array.from({ length: count }, (_, index) => index).flatMap((index) => {
    const entry = view.getBigUint64(host + 8 * index, true);
    if ((entry & 1n) === 0n || isXens(frames.typeOf(frame), index)) return [];
    const below = Number((entry >> 12n) & 0xff_ffff_ffffn);
    return { frame: below, isWritable: (entry & 2n) !== 0n };
  });
}

/** All that the attacker's page tables lead to, but for the part that is Xen's; every level must allow a write. */
function leaves(machine: XenMachine, root: number): Leaf[] {
  const found: Leaf[] = [];
  const seen = new Set<string>();
  const walk = (frame: number, level: number, mayWrite: boolean): void => {
    const key = `${frame} ${level} ${mayWrite}`;
    if (seen.has(key)) return;
    seen.add(key);
    const owner = machine.frames.ownerOf(frame);
    assert.is(owner, attackerId, `a table of level ${level} is another’s`);
    for (const entry of entriesOf(machine, frame, level)) {
      // The four topmost entries of PAE have no rights.
      const isWritable = mayWrite && (entry.isWritable || (machine.width === 32 && level === 3));
      if (level === 1) found.push({ ...entry, isWritable });
      else walk(entry.frame, level - 1, isWritable);
    }
  };
  walk(root, machine.width === 64 ? 4 : 3, true);
  return found;
}

const tables: ReadonlySet<number> = new Set([
  ...[frameTypes.l1, frameTypes.l2, frameTypes.l3, frameTypes.l4],
  ...[frameTypes.l2OfXen, frameTypes.descriptors],
]);

/** The rules that hold whatever a guest asks for. */
function checkTables(machine: XenMachine, granted: ReadonlySet<number>, name: string): void {
  const { frames, attacker } = machine;
  const [first, second] = [...granted];
  const m2p = frames.frameOf(frames.m2p(machine.width));
  const isM2p = (frame: number): boolean =>
    frame >= m2p && frame < m2p + frames.m2pBytes(machine.width) / pageSize;
  for (const { frame, isWritable } of leaves(machine, attacker.pv.root)) {
    const owner = frames.ownerOf(frame);
    const what = `${name}: frame 0x${frame.toString(16)} of d${owner}${isWritable ? ', writable' : ''}`;
    if (owner === attackerId)
      assert.not(
        isWritable && frames.typeCountOf(frame) > 0 && tables.has(frames.typeOf(frame)),
        `${what}, is a table`,
      );
    else if (owner === victimId)
      assert.ok(isWritable ? frame === first || frame === second : granted.has(frame), what);
    else assert.ok(isM2p(frame) && !isWritable, what);
  }
}

/** Writes wherever the attacker's tables let it. */
function writeSome({ attacker }: XenMachine, r: Random): void {
  const { guest } = attacker.pv.context;
  for (let n = 0; n < 8; n++)
    try {
      guest.writeU32(BigInt((340 + r.below(60)) * pageSize + 8 * r.below(512)), r.u32());
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
    }
}

/** The victim takes memory while the attacker gives some back: what it gets is its alone. */
function takePage({ frames }: XenMachine): number {
  const frame = frames.allocate(victimId, 1);
  const host = frames.hostOf(frame) ?? 0;
  frames.memory.bytes().fill(0x5a, host, host + pageSize);
  return frame;
}

function checkPage({ frames }: XenMachine, frame: number, name: string): void {
  assert.is(frames.ownerOf(frame), victimId, `${name}: whose frame ${frame} is`);
  const host = frames.hostOf(frame) ?? 0;
  const isWhole = frames.memory
    .bytes()
    .subarray(host, host + pageSize)
    .every((b) => b === 0x5a);
  assert.ok(isWhole, `${name}: frame ${frame}, taken by d2 meanwhile, has changed`);
}

const text = ({ name, args }: HostileCall): string =>
  `${name}(${args.map((arg) => `0x${arg.toString(16)}`).join(', ')})`;

interface Counts {
  good: number;
  bad: number;
  crashes: number;
}

/** One attacker's life; it ends by a crash, or when it has asked often enough. */
async function live(width: 64 | 32, r: Random, counts: Counts, name: string): Promise<void> {
  const machine = new XenMachine(width);
  const granted = grantSome(machine);
  const calls = new HostileCalls(machine, r, grants);
  const before = machine.victimBytes(openFrames(machine, granted));
  const taken: number[] = [];
  for (let step = 0; step < casesInDomain; step++) {
    const call = calls.next();
    const where = `seed ${seed}, ${name}, step ${step}: ${text(call)}`;
    let result: bigint;
    try {
      result = machine.call(call.name, call.args);
    } catch (cause) {
      throw new Error(`${where}: ${(cause as Error).stack}`, { cause });
    }
    if (result < 0n && result > -4096n) {
      assert.ok(errnos.has(Number(-result)), `${where} = ${result}`);
      counts.bad++;
    } else counts.good++;
    if (r.below(4) === 0) writeSome(machine, r);
    const next = machine.next();
    if (next.do === 'end') {
      const { report = '', reason } = await next.ending;
      counts.crashes++;
      // Who takes his last vCPU down (VCPUOP_down), or writes a sched_op into what a multicall reads, has nothing to explain.
      if (reason === 'shutdown') break;
      assert.match(report, /\b[re]ip\b/, where);
      assert.match(report, /\b[re]sp\b/, where);
      break;
    }
    if (step % 20 === 0) taken.push(takePage(machine));
    if (step % 50 === 0) checkTables(machine, granted, where);
  }
  checkTables(machine, granted, name);
  for (const frame of taken) checkPage(machine, frame, name);
  const open = new Set([...openFrames(machine, granted), ...taken]);
  assert.ok(machine.victimBytes(open).equals(before), `${name}: d2 changed`);
  machine.world.leave(attackerId);
  assert.not(machine.victim.parts.grants.isBusy, `${name}: grants stay in use`);
}

for (const width of [64, 32] as const)
  fuzz(`${width}: ${cases} hostile hypercalls reach nothing but the guest itself`, async () => {
    const r = random(seed + width);
    const counts: Counts = { good: 0, bad: 0, crashes: 0 };
    for (let life = 0; counts.good + counts.bad < cases; life++)
      await live(width, r, counts, `life ${life}`);
    assert.ok(counts.good > cases / 20 && counts.bad > cases / 20, JSON.stringify(counts));
    process.stdout.write(`xen/fuzz ${width}: ${JSON.stringify(counts)}\n`);
  });

fuzz.run();
