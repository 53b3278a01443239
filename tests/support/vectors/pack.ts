/**
 * How an outcome lies in a file of tests/golden/x86: what differs from the input, as numbered places with the low bytes
 * that changed, runs of memory, and where the instruction ended. Inputs are not stored; they are drawn again.
 */
import type { Exception, MemoryWindow } from '../cpu-oracle.ts';

/** All integers are little-endian; a `varint` has seven bits a byte, low ones first. */
export class Sink {
  #bytes = new Uint8Array(1024);
  length = 0;

  u8(value: number): void {
    if (this.length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.u8(value & 0xff);
    this.u8(value >> 8);
  }

  varint(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.u8((rest & 0x7f) | 0x80);
    this.u8(rest);
  }

  big(value: bigint, bytes: number): void {
    let rest = value;
    for (let i = 0; i < bytes; i++) {
      this.u8(Number(rest & 0xffn));
      rest >>= 8n;
    }
  }

  append(bytes: Uint8Array): void {
    for (const byte of bytes) this.u8(byte);
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}

export class Source {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at === this.#bytes.length;
  }

  u8(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new RangeError('vectors: a file is too short');
    return byte;
  }

  u16(): number {
    const low = this.u8();
    return low | (this.u8() << 8);
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  big(bytes: number): bigint {
    let value = 0n;
    for (let i = 0; i < bytes; i++) value |= BigInt(this.u8()) << BigInt(8 * i);
    return value;
  }

  take(length: number): Uint8Array {
    const from = this.at;
    this.at += length;
    if (this.at > this.#bytes.length) throw new RangeError('vectors: a file is too short');
    return this.#bytes.subarray(from, this.at);
  }
}

const numbered = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

/** A place's number is its index; general registers have their encoding's number in both modes. */
const placeNames: readonly string[] = [
  ...'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15'.split(' '),
  ...'flags mxcsr fcw fsw ftw'.split(' '),
  ...numbered('R', 8),
  ...numbered('xmm', 16),
];

const placeNumbers = new Map(placeNames.map((name, i) => [name, i]));

export interface Outcome {
  /** Name of a place → its value, where that differs from the input's. */
  readonly places: ReadonlyMap<string, bigint>;
  /** Runs of bytes that changed. */
  readonly memory: readonly MemoryWindow[];
  /** Undefined where it is the next instruction or, with an exception, the instruction itself. */
  readonly rip?: bigint | undefined;
  readonly exception?: Exception | undefined;
}

const EXCEPTION = 0x80;
const RIP = 0x40;
const MEMORY = 0x20;

const significantBytes = (value: bigint): number => Math.ceil(value.toString(16).length / 2);

const nameOf = (name: string): string => (name.startsWith('e') ? `r${name.slice(1)}` : name);

export function packOutcome(
  sink: Sink,
  before: ReadonlyMap<string, bigint>,
  { places, memory, rip, exception }: Outcome,
): void {
  sink.u8(
    places.size |
      (exception === undefined ? 0 : EXCEPTION) |
      (rip === undefined ? 0 : RIP) |
      (memory.length > 0 ? MEMORY : 0),
  );
  for (const [name, value] of places) {
    const length = significantBytes(value ^ (before.get(name) ?? 0n));
    sink.u8(placeNumbers.get(nameOf(name)) ?? 0xff);
    sink.u8(length);
    sink.big(value, length);
  }
  if (memory.length > 0) packMemory(sink, memory);
  if (rip !== undefined) sink.big(rip, 8);
  if (exception === undefined) return;
  sink.u8(exception.vector);
  sink.u16(exception.errorCode);
  if (exception.vector === 14) sink.big(exception.address, 8);
}

function packMemory(sink: Sink, memory: readonly MemoryWindow[]): void {
  sink.varint(memory.length);
  for (const { address, bytes } of memory) {
    sink.big(address, 4);
    sink.varint(bytes.length);
    sink.append(bytes);
  }
}

export function unpackOutcome(
  source: Source,
  before: ReadonlyMap<string, bigint>,
  names: { readonly general: readonly string[] },
): Outcome {
  const head = source.u8();
  const places = new Map<string, bigint>();
  for (let i = 0; i < (head & 0x1f); i++) {
    const number = source.u8();
    const name = names.general[number] ?? placeNames[number] ?? '?';
    const length = source.u8();
    const kept = ((before.get(name) ?? 0n) >> BigInt(8 * length)) << BigInt(8 * length);
    places.set(name, kept | source.big(length));
  }
  const memory = (head & MEMORY) !== 0 ? unpackMemory(source) : [];
  const rip = (head & RIP) !== 0 ? source.big(8) : undefined;
  return { places, memory, rip, exception: unpackException(source, head) };
}

function unpackMemory(source: Source): MemoryWindow[] {
  return Array.from({ length: source.varint() }, () => {
    const address = source.big(4);
    return { address, bytes: source.take(source.varint()) };
  });
}

function unpackException(source: Source, head: number): Exception | undefined {
  if ((head & EXCEPTION) === 0) return undefined;
  const vector = source.u8();
  const errorCode = source.u16();
  return { vector, errorCode, address: vector === 14 ? source.big(8) : 0n };
}
