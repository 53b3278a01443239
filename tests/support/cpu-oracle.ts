/**
 * The machine's own CPU, asked what an instruction does: compiles tests/golden/record/cpu/oracle.c with gcc and speaks
 * its protocol. The guest sees three regions, each followed by an unmapped page: code at 0x10000000, 64 KiB; data
 * at 0x20000000 and stack at 0x30000000, 16 KiB each; code is filled with int3, the others with zero. The base of gs
 * (on x86-32 of fs, whose selector is 0x6b) is `segmentBase`.
 * TF and RF read as zero; AC, NT and ID do not survive from one step to the next.
 */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { UserError } from '../../runtime/errors.ts';

/** What FXSAVE stores of the x87: the abridged tag has bit i set where the physical register Ri is not empty. */
export interface FpuState {
  control: number;
  status: number;
  tag: number;
  /** 80 bits each, in stack order: registers[0] is ST(0). */
  registers: bigint[];
}

export interface CpuState {
  /** In the order of their encoding: rax rcx rdx rbx rsp rbp rsi rdi r8 … r15; 8 of them on x86-32. */
  regs: bigint[];
  rip: bigint;
  rflags: bigint;
  /** 128 bits each; 8 of them on x86-32. */
  xmm: bigint[];
  mxcsr: number;
  fpu: FpuState;
}

export interface MemoryWindow {
  address: bigint;
  bytes: Uint8Array;
}

/** `code` is placed at `state.rip`; `steps` is the number of instructions, a repeated string instruction being one. */
export interface CpuCase {
  code: Uint8Array;
  state: CpuState;
  memory: readonly MemoryWindow[];
  steps: number;
}

export interface Exception {
  vector: number;
  errorCode: number;
  /** CR2, for vector 14 (#PF); else 0. */
  address: bigint;
}

export interface CpuResult {
  state: CpuState;
  /** The windows of the case, after. */
  memory: MemoryWindow[];
  /** Instructions that completed. */
  steps: number;
  exception?: Exception;
}

export type CpuWidth = 32 | 64;

export const regions = [
  { address: 0x10000000n, length: 0x10000n },
  { address: 0x20000000n, length: 0x4000n },
  { address: 0x30000000n, length: 0x4000n },
] as const;

/** Of gs on x86-64 and of fs on x86-32; the other belongs to the C library. */
export const segmentBase = 0x20001000n;

const REQUEST_BYTES = 672;
const WINDOW_BYTES = 16;
const REPLY_BYTES = 680;
const outcomes = ['ran', 'exception', 'endless', 'refused'] as const;

const padded = (length: number): number => (length + 7) & ~7;

/** Of the 80 or 128 bits at `offset`. */
const readWide = (view: DataView, offset: number, bits: 80 | 128): bigint =>
  BigInt.asUintN(
    bits,
    view.getBigUint64(offset, true) | (view.getBigUint64(offset + 8, true) << 64n),
  );

function writeWide(view: DataView, offset: number, value: bigint): void {
  view.setBigUint64(offset, BigInt.asUintN(64, value), true);
  view.setBigUint64(offset + 8, value >> 64n, true);
}

/** `struct state` of oracle.c: 16 registers, rip, rflags, the image of FXSAVE (SDM vol. 1, table 10-2). */
function writeState(view: DataView, start: number, state: CpuState): void {
  const fxsave = start + 144;
  for (const [i, value] of state.regs.entries()) view.setBigUint64(start + 8 * i, value, true);
  view.setBigUint64(start + 128, state.rip, true);
  view.setBigUint64(start + 136, state.rflags, true);
  view.setUint16(fxsave, state.fpu.control, true);
  view.setUint16(fxsave + 2, state.fpu.status, true);
  view.setUint8(fxsave + 4, state.fpu.tag);
  view.setUint32(fxsave + 24, state.mxcsr, true);
  for (const [i, value] of state.fpu.registers.entries())
    writeWide(view, fxsave + 32 + 16 * i, value);
  for (const [i, value] of state.xmm.entries()) writeWide(view, fxsave + 160 + 16 * i, value);
}

function readState(view: DataView, start: number, width: CpuWidth): CpuState {
  const fxsave = start + 144;
  const registers = Array.from({ length: width === 64 ? 16 : 8 }, (_, i) => i);
  return {
    regs: registers.map((i) => view.getBigUint64(start + 8 * i, true)),
    rip: view.getBigUint64(start + 128, true),
    rflags: view.getBigUint64(start + 136, true),
    xmm: registers.map((i) => readWide(view, fxsave + 160 + 16 * i, 128)),
    mxcsr: view.getUint32(fxsave + 24, true),
    fpu: {
      control: view.getUint16(fxsave, true),
      status: view.getUint16(fxsave + 2, true),
      tag: view.getUint8(fxsave + 4),
      registers: [0, 1, 2, 3, 4, 5, 6, 7].map((i) => readWide(view, fxsave + 32 + 16 * i, 80)),
    },
  };
}

const requestBytes = ({ code, memory }: CpuCase): number =>
  memory.reduce(
    (sum, { bytes }) => sum + WINDOW_BYTES + padded(bytes.length),
    REQUEST_BYTES + padded(code.length),
  );

function encodeBatch(cases: readonly CpuCase[]): Uint8Array {
  const length = cases.reduce((sum, each) => sum + requestBytes(each), 0);
  const batch = new Uint8Array(8 + length);
  const view = new DataView(batch.buffer);
  view.setUint32(0, length, true);
  view.setUint32(4, cases.length, true);
  let at = 8;
  for (const { code, memory, state, steps } of cases) {
    view.setUint32(at, steps, true);
    view.setUint32(at + 4, code.length, true);
    view.setUint32(at + 8, memory.length, true);
    writeState(view, at + 16, state);
    batch.set(code, at + REQUEST_BYTES);
    at += REQUEST_BYTES + padded(code.length);
    for (const { address, bytes } of memory) {
      view.setBigUint64(at, address, true);
      view.setUint32(at + 8, bytes.length, true);
      batch.set(bytes, at + WINDOW_BYTES);
      at += WINDOW_BYTES + padded(bytes.length);
    }
  }
  return batch;
}

function decodeReply(view: DataView, at: number, asked: CpuCase, width: CpuWidth): CpuResult {
  const outcome = outcomes[view.getUint32(at, true)];
  if (outcome !== 'ran' && outcome !== 'exception')
    throw new Error(
      `CPU oracle: case at rip 0x${asked.state.rip.toString(16)} is ${outcome}: ` +
        'code and memory windows must lie in the regions, and a block must end',
    );
  let from = at + REPLY_BYTES;
  const memory = asked.memory.map(({ address, bytes }) => {
    const after = new Uint8Array(view.buffer, view.byteOffset + from, bytes.length).slice();
    from += padded(bytes.length);
    return { address, bytes: after };
  });
  const result: CpuResult = {
    state: readState(view, at + 24, width),
    memory,
    steps: view.getUint32(at + 12, true),
  };
  if (outcome === 'exception')
    result.exception = {
      vector: view.getUint32(at + 4, true),
      errorCode: view.getUint32(at + 8, true),
      address: view.getBigUint64(at + 16, true),
    };
  return result;
}

const replyBytes = ({ memory }: CpuCase): number =>
  memory.reduce((sum, { bytes }) => sum + padded(bytes.length), REPLY_BYTES);

/** The checkout: where package.json lies, above this file or its compiled form. */
export function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** Which CPU this is, in the words of /proc/cpuinfo; 'unknown' where there is none. */
export function cpuModel(): string {
  if (!existsSync('/proc/cpuinfo')) return 'unknown';
  const text = readFileSync('/proc/cpuinfo', 'utf8');
  const field = (name: string): string =>
    new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(text)?.[1] ?? 'unknown';
  return `${field('model name')}, family ${field('cpu family')}, model ${field('model')}, stepping ${field('stepping')}`;
}

async function compile(width: CpuWidth, folder: string): Promise<string> {
  const source = join(projectRoot(), 'tests/golden/record/cpu/oracle.c');
  const program = join(folder, `oracle-${width}`);
  const flags = ['-O2', '-static', '-no-pie', '-mno-red-zone', '-fno-stack-protector'];
  try {
    await promisify(execFile)('gcc', [`-m${width}`, ...flags, '-o', program, source]);
  } catch (cause) {
    throw new UserError(
      `gcc -m${width}: cannot build ${source}; the tests need gcc and both its widths: apt-get install gcc gcc-multilib`,
      { cause },
    );
  }
  return program;
}

/** Cases in one message: about a megabyte. */
const BATCH = 1000;

export class CpuOracle {
  readonly width: CpuWidth;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #output: AsyncIterator<Buffer>;
  #buffered: Buffer = Buffer.alloc(0);

  private constructor(width: CpuWidth, child: ChildProcessByStdio<Writable, Readable, null>) {
    this.width = width;
    this.#child = child;
    this.#output = child.stdout[Symbol.asyncIterator]();
  }

  static async start(width: CpuWidth): Promise<CpuOracle> {
    const folder = await mkdtemp(join(tmpdir(), 'stubdom-oracle-'));
    try {
      const program = await compile(width, folder);
      const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
      await new Promise((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
      child.stdin.on('error', () => undefined); // its end is told by stdout's
      return new CpuOracle(width, child);
    } finally {
      await rm(folder, { recursive: true, force: true }); // the running program keeps its file
    }
  }

  /** One call at a time. */
  async run(cases: readonly CpuCase[]): Promise<CpuResult[]> {
    const results: CpuResult[] = [];
    for (let from = 0; from < cases.length; from += BATCH) {
      const batch = cases.slice(from, from + BATCH);
      this.#child.stdin.write(encodeBatch(batch));
      const header = await this.#read(8);
      const answer = await this.#read(header.readUInt32LE(0));
      const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
      let at = 0;
      for (const each of batch) {
        results.push(decodeReply(view, at, each, this.width));
        at += replyBytes(each);
      }
    }
    return results;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin.end();
    this.#child.stdout.resume();
    await closed;
  }

  async #read(length: number): Promise<Buffer> {
    const parts = [this.#buffered];
    for (let have = this.#buffered.length; have < length; ) {
      const { done, value } = await this.#output.next();
      if (done)
        throw new Error(`CPU oracle (${this.width}): ended with status ${this.#child.exitCode}`);
      parts.push(value);
      have += value.length;
    }
    const whole = parts.length === 1 ? this.#buffered : Buffer.concat(parts);
    this.#buffered = whole.subarray(length);
    return whole.subarray(0, length);
  }
}
