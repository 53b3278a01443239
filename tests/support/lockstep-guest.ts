/** Guests of a few lines of assembly on a vCPU of their own, for tests that look at every register. Intel syntax, by gas. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../../runtime/cpu/environment.ts';
import { flatEnvironment } from '../../runtime/cpu/flat-environment.ts';
import type { Leave } from '../../runtime/cpu/leave.ts';
import type { Tier } from '../../runtime/cpu/translations-options.ts';
import { Vcpu } from '../../runtime/cpu/vcpu.ts';
import { LinearAddressSpace, type ProtectedSpace } from '../../runtime/memory/address-space.ts';
import { GuestMemory } from '../../runtime/memory/guest-memory.ts';
import { MachineMemory, pageFlagsOffset } from '../../runtime/memory/machine-memory.ts';
import type { MappedMemory } from '../../runtime/minios/loader.ts';
import { type Mode, RSP } from '../../runtime/x86/registers.ts';

export const codeStart = 0x1_0000n;
const codeBytes = 0x2_0000n;
export const dataStart = 0x4_0000n;
export const readOnlyPage = 0x4_8000n;
/** The run's end; the stack lies below. */
export const memoryEnd = 0x100_0000n;
export const stackTop = 0xff_0000n;

/** Of a guest that comes to an end. */
const mostSlices = 10_000;

export interface Assembled {
  readonly code: Uint8Array;
  readonly symbols: ReadonlyMap<string, bigint>;
}

/** `rax` … `rsp` stand for the registers of the mode; `word` for its pointers. The text lies at `codeStart`. */
export function assemble(mode: Mode, source: string): Assembled {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-assembly-'));
  const file = (name: string): string => join(directory, name);
  const run = (program: string, ...args: string[]): string =>
    execFileSync(program, args, { cwd: directory, stdio: 'pipe', encoding: 'utf8' });
  const registers = /\br(ax|bx|cx|dx|si|di|bp|sp)\b/g;
  const plain = mode === 64 ? source : source.replace(registers, 'e$1');
  const text = plain.replace(/\bword\b/g, mode === 64 ? 'qword' : 'dword');
  try {
    writeFileSync(file('a.s'), `.intel_syntax noprefix\n.globl start\n${text}\n`);
    run('as', `--${mode}`, '-o', 'a.o', 'a.s');
    const machine = mode === 64 ? 'elf_x86_64' : 'elf_i386';
    run('ld', '-m', machine, '-Ttext', `0x${codeStart.toString(16)}`, '-e', 'start', 'a.o');
    run('objcopy', '-O', 'binary', '-j', '.text', 'a.out', 'a.bin');
    const symbols = run('nm', 'a.out')
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([address, , name]): [string, bigint] => [name ?? '', BigInt(`0x${address}`)]);
    return { code: new Uint8Array(readFileSync(file('a.bin'))), symbols: new Map(symbols) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export interface GuestOptions {
  /** Symbols that are translated before the guest runs. */
  readonly entries?: readonly string[];
  readonly polls?: number;
  /** Whether the guest may write to its code. */
  readonly writable?: boolean;
  readonly tier?: Tier;
  readonly mostModules?: number;
  /** What maps the addresses from `codeStart` to `memoryEnd`; one linear run if not given. */
  readonly map?: (memory: MachineMemory) => MappedMemory;
  /** What is not as in a Linux process. */
  readonly environment?: Partial<Environment>;
  /** What happens before anything is translated. */
  readonly prepare?: (cpu: Vcpu) => void;
}

/** A guest that stands at `start`, its stack empty. */
export class AssemblyGuest {
  readonly cpu: Vcpu;
  readonly symbols: ReadonlyMap<string, bigint>;
  /** Addresses at which code was missing. */
  readonly translated: bigint[] = [];
  readonly memory = new MachineMemory();
  readonly #addressSpace: ProtectedSpace;

  constructor(
    mode: Mode,
    { code, symbols }: Assembled,
    {
      entries = ['start'],
      writable = false,
      tier = 'resumable',
      map = linear,
      mostModules,
      environment,
    }: GuestOptions,
  ) {
    this.symbols = symbols;
    const mapped = map(this.memory);
    this.#addressSpace = mapped.addressSpace;
    const region = new Uint8Array(Number(codeBytes)).fill(0xcc);
    region.set(code);
    this.cpu = new Vcpu({
      mode,
      memory: this.memory,
      run: { lo: 0n, length: 0n, host: 0 },
      ...mapped,
      code: [
        {
          address: codeStart,
          ...(writable
            ? { length: region.length, now: (at: bigint, size: number) => this.read(at, size) }
            : { bytes: region }),
        },
      ],
      entries: entries.map((name) => this.at(name)),
      readConstant: (address, bits) => this.#constant(bits, address),
      pageFlags: pageFlagsOffset,
      environment: { ...flatEnvironment(mode, () => 0n), ...environment },
      ...{ tier, mostModules },
    });
    this.write(codeStart, region);
    if (!writable) this.#addressSpace.protect(codeStart, codeBytes, false);
    this.#addressSpace.protect(readOnlyPage, 0x1000, false);
    this.#addressSpace.allowExecution(codeStart, codeBytes);
    this.cpu.rip = this.at('start');
    this.cpu.setRegister(RSP, stackTop);
  }

  /** Jump tables lie beside the code. */
  #constant(mode: Mode, address: bigint): bigint | undefined {
    const offset = Number(address - codeStart);
    if (offset < 0 || offset + 8 > Number(codeBytes)) return undefined;
    return this.number(address, mode / 8);
  }

  at(symbol: string): bigint {
    const address = this.symbols.get(symbol);
    if (address === undefined) throw new TypeError(`no symbol ${symbol}`);
    return address;
  }

  /** Runs until it leaves for another reason than missing code, or an early poll. */
  async run(): Promise<Leave> {
    for (;;) {
      const leave = this.cpu.run();
      if (leave.reason === 'poll' && leave.early === true) continue;
      if (leave.reason !== 'translate') return leave;
      this.translated.push(this.cpu.rip);
      await this.cpu.translate();
    }
  }

  /** Runs, in slices of so many polls, until it leaves for another reason than that they are spent. */
  async runInSlices(polls: number): Promise<Leave> {
    for (let slice = 0; slice < mostSlices; slice++) {
      this.cpu.setPolls(polls);
      const leave = await this.run();
      if (leave.reason !== 'poll') return leave;
    }
    throw new TypeError('the guest does not end');
  }

  read(address: bigint, length: number): Uint8Array {
    const read = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const room = 0x1000 - Number((address + BigInt(at)) & 0xfffn);
      const place = this.#place(address, at);
      read.set(this.#bytes().subarray(place, place + Math.min(room, length - at)), at);
      at += room;
    }
    return read;
  }

  /** A little-endian number. */
  number(address: bigint, length: number): bigint {
    return this.read(address, length).reduceRight((all, byte) => (all << 8n) | BigInt(byte), 0n);
  }

  /** As a kernel writes what a guest points at. */
  kernelWrite(address: bigint, bytes: Uint8Array): void {
    new GuestMemory(this.memory, this.#addressSpace).writeBytes(address, bytes);
  }

  /** Behind the machine's back. */
  write(address: bigint, bytes: Uint8Array): void {
    bytes.forEach((byte, i) => {
      this.#bytes()[this.#place(address, i)] = byte;
    });
  }

  /** Makes stores to a page leave, though they do not fault. */
  watch(page: bigint): void {
    this.memory.setPageTable(this.#place(page, 0), true);
  }

  #bytes(): Uint8Array {
    return this.memory.bytes();
  }

  #place(address: bigint, at: number): number {
    const place = this.#addressSpace.translate(address + BigInt(at), 'read');
    if (typeof place !== 'number') throw new TypeError(`no memory at 0x${address.toString(16)}`);
    return place;
  }
}

const linear = (memory: MachineMemory): MappedMemory => {
  const length = memoryEnd - codeStart;
  const run = { lo: codeStart, length, host: memory.allocate(Number(length)) };
  return { addressSpace: new LinearAddressSpace(memory, run), run };
};

export async function guestOf(
  mode: Mode,
  source: string | Assembled,
  options: GuestOptions = {},
): Promise<AssemblyGuest> {
  const assembled = typeof source === 'string' ? assemble(mode, source) : source;
  const guest = new AssemblyGuest(mode, assembled, options);
  options.prepare?.(guest.cpu);
  await guest.cpu.translateAll();
  guest.cpu.setPolls(options.polls ?? 1_000_000);
  return guest;
}
