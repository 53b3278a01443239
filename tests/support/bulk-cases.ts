/** Blocks of repeated MOVS and STOS for tests: what comes of them element by element, and on a vCPU. */
import * as assert from 'uvu/assert';
import { type Mode, RAX, RCX, RDI, RSI } from '../../runtime/x86/registers.ts';
import {
  type AssemblyGuest,
  codeStart,
  dataStart,
  type GuestOptions,
  guestOf,
  memoryEnd,
  readOnlyPage,
} from './lockstep-guest.ts';
import { type Random, random } from './random.ts';

const element = 0x1122_3344_5566_7788n;
const suffixes = ['b', 'w', 'd', 'q'] as const;

export interface Case {
  readonly op: 'movs' | 'stos';
  readonly bytes: number;
  readonly downwards: boolean;
  readonly to: bigint;
  readonly from: bigint;
  readonly count: bigint;
  readonly value: bigint;
}

/** Where the registers stand, and the address of the fault if there is one. */
interface Ended {
  readonly to: bigint;
  readonly from: bigint;
  readonly count: bigint;
  readonly fault: bigint | undefined;
}

const inRun = (address: bigint): boolean => address >= codeStart && address < memoryEnd;
const writable = (address: bigint): boolean =>
  inRun(address) &&
  address >= dataStart &&
  (address < readOnlyPage || address >= readOnlyPage + 0x1000n);

/** The first byte of an access that faults: its first one, or the first of the page after. */
function faultOf(
  address: bigint,
  bytes: number,
  isGood: (address: bigint) => boolean,
): bigint | undefined {
  return [address, (address + BigInt(bytes - 1)) & ~0xfffn].find((place) => !isGood(place));
}

/** Copies of the parts of the guest's memory that the cases touch: its first and its last bytes. */
class Parts {
  readonly #parts: readonly { readonly from: bigint; readonly bytes: Uint8Array }[];

  constructor(guest: AssemblyGuest) {
    const length = 0x6_0000;
    this.#parts = [codeStart, memoryEnd - BigInt(length)].map((from) => ({
      from,
      bytes: guest.read(from, length),
    }));
  }

  read(address: bigint, length: number): Uint8Array {
    const { bytes, at } = this.#place(address);
    return bytes.slice(at, at + length);
  }

  write(address: bigint, written: Iterable<number>): void {
    const { bytes, at } = this.#place(address);
    bytes.set([...written], at);
  }

  equals(other: Parts): boolean {
    return this.#parts.every(({ bytes, from }) =>
      Buffer.from(bytes.buffer).equals(other.#place(from).bytes),
    );
  }

  #place(address: bigint): { bytes: Uint8Array; at: number } {
    const part = this.#parts.findLast(({ from }) => address >= from);
    if (part === undefined) throw new RangeError(`0x${address.toString(16)} lies below the run`);
    return { bytes: part.bytes, at: Number(address - part.from) };
  }
}

/** Element by element, as the manual says. */
function simulate(memory: Parts, { op, bytes, downwards, value, ...start }: Case): Ended {
  let { to, from, count } = start;
  const step = BigInt(downwards ? -bytes : bytes);
  for (; count > 0n; count--) {
    const fault =
      (op === 'movs' ? faultOf(from, bytes, inRun) : undefined) ?? faultOf(to, bytes, writable);
    if (fault !== undefined) return { to, from, count, fault };
    const stored = Array.from({ length: bytes }, (_, i) =>
      Number((value >> BigInt(8 * i)) & 0xffn),
    );
    memory.write(to, op === 'movs' ? memory.read(from, bytes) : stored);
    to += step;
    if (op === 'movs') from += step;
  }
  return { to, from, count, fault: undefined };
}

/** One guest has all forms: each ends at an int3 of its own. */
function sourceOf(mode: Mode): string {
  const sizes = mode === 64 ? suffixes : suffixes.slice(0, 3);
  const forms = sizes.flatMap((suffix) =>
    ['movs', 'stos'].flatMap((op) => [
      `${op}${suffix}_up: cld\nrep ${op}${suffix}\nint3`,
      `${op}${suffix}_down: std\nrep ${op}${suffix}\nint3`,
    ]),
  );
  return `start: int3\n${forms.join('\n')}`;
}

export async function run(guest: AssemblyGuest, given: Case): Promise<Ended> {
  const { op, bytes, downwards, to, from, count, value } = given;
  const { cpu } = guest;
  cpu.rip = guest.at(`${op}${suffixes[Math.log2(bytes)]}_${downwards ? 'down' : 'up'}`);
  cpu.setRegister(RDI, to);
  cpu.setRegister(RSI, from);
  cpu.setRegister(RCX, count);
  cpu.setRegister(RAX, value);
  const leave = await guest.run();
  if (leave.reason !== 'exception') throw new TypeError(`left for ${leave.reason}`);
  const fault = leave.vector === 14 ? leave.address : undefined;
  return { to: cpu.register(RDI), from: cpu.register(RSI), count: cpu.register(RCX), fault };
}

/** Runs both, and compares registers, fault and all memory. */
export async function assertSame(guest: AssemblyGuest, given: Case): Promise<void> {
  const expected = new Parts(guest);
  const wanted = simulate(expected, given);

  const found = await run(guest, given);

  const what = JSON.stringify(given, (_, x) => (typeof x === 'bigint' ? `0x${x.toString(16)}` : x));
  assert.equal(found, wanted, what);
  assert.ok(new Parts(guest).equals(expected), `memory after ${what}`);
}

export async function filledGuest(mode: Mode, options: GuestOptions = {}): Promise<AssemblyGuest> {
  const guest = await guestOf(mode, sourceOf(mode), { polls: 0x7fff_ffff, ...options });
  const source = random(7);
  const bytes = Uint8Array.from({ length: 0x2_0000 }, () => source.below(256));
  guest.write(dataStart, bytes);
  guest.write(memoryEnd - 0x2_0000n, bytes);
  return guest;
}

/** Near each other, near the read-only page, and near both ends of the run. */
export function randomCase(source: Random, mode: Mode): Case {
  const near = (): bigint => {
    const places = [dataStart + 0x1_0000n, readOnlyPage, readOnlyPage + 0x1000n, memoryEnd];
    const place = places[source.below(places.length)] ?? dataStart;
    return place + BigInt(source.below(0x3000) - 0x1800);
  };
  const to = near();
  const isClose = source.below(2) === 0;
  const bytes = 2 ** source.below(mode === 64 ? 4 : 3);
  return {
    op: source.below(3) === 0 ? 'stos' : 'movs',
    bytes,
    downwards: source.below(2) === 0,
    to,
    from: isClose ? to + BigInt(source.below(128) - 64) : near(),
    count: BigInt(source.below(source.below(4) !== 0 ? 12 : 3000)),
    value: source.below(2) === 0 ? 0n : BigInt.asUintN(mode, element),
  };
}

/** Byte by byte, as memmove goes: every length of a few words, apart, side by side and onto each other, each at a place of its own. */
export function shortCopies(): Case[] {
  const counts = Array.from({ length: 40 }, (_, i) => i);
  const moves = counts.flatMap((count) =>
    [-100, -count, -3, 3, count, 100].map((distance) => ({ count, distance })),
  );
  return moves.map(({ count, distance }, i) => {
    const downwards = distance > 0;
    const from = dataStart + BigInt(0x1_0080 + i * 0x110 + (downwards ? count - 1 : 0));
    return {
      ...{ op: 'movs', bytes: 1, downwards, value: 0n },
      ...{ to: from + BigInt(distance), from, count: BigInt(count) },
    };
  });
}
