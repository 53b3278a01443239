/** What a person reads when a guest stops at a fault: what, where, registers, who called. SDM vol. 3, 6.15 names the faults. */
import { type Segment, segmentAt } from '../elf/segments.ts';
import type { SymbolTable } from '../elf/symbols.ts';
import { XenError } from '../errors.ts';
import { pageFaultCode } from '../memory/address-space.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { Decoder } from '../x86/decode.ts';
import { generalRegisters, type Mode, RBP, RSP, registerName } from '../x86/registers.ts';
import { backtrace, type Frame } from './backtrace.ts';
import type { Leave } from './leave.ts';

/** The vCPU, as a report looks at it. */
export interface ReportedCpu {
  readonly mode: Mode;
  readonly rip: bigint;
  readonly eflags: bigint;
  register(n: number): bigint;
}

/** An entry on the way from the topmost page table to a page. */
export interface PageWalkStep {
  readonly level: number;
  /** Machine frame of the table. */
  readonly table: number;
  readonly index: number;
  readonly entry: bigint;
}

export interface StackRange {
  readonly low: bigint;
  readonly high: bigint;
  /** Nobody knows where it begins and ends; callers are looked for here. */
  readonly isGuess?: boolean;
}

export interface FaultScene {
  readonly domain: string;
  readonly cpu: ReportedCpu;
  readonly memory: GuestMemory;
  readonly segments: readonly Segment[];
  readonly symbols: SymbolTable;
  /** What the guest's own page tables say of an address, where it has some. */
  readonly walk?: (address: bigint) => readonly PageWalkStep[];
}

/** Which thread of the guest it was. */
export interface FaultPlace {
  readonly thread: string;
  readonly stack: StackRange | undefined;
  /** The instruction; where it is not given, the one at the instruction pointer. */
  readonly at?: bigint;
  /** What a page fault was about. */
  readonly address?: bigint | undefined;
}

export interface Explanation {
  readonly status: number;
  readonly what: string;
  /** The instruction that did it: traps leave the instruction pointer behind it. */
  readonly at: bigint;
  /** Of a page fault. */
  readonly address?: bigint;
}

export interface FaultReporter {
  /** Exit status, and the fault in words. The guest does not run meanwhile: the disassembler is loaded when it is needed. */
  explain(leave: Leave, place: FaultPlace): Promise<Explanation>;
  report(what: string, place: FaultPlace): Promise<string>;
}

/** Vectors of the faults that have words of their own, and the status that a shell would show (128 + signal). */
// biome-ignore format: a table
const exceptions: Readonly<Record<number, { readonly name: string; readonly status: number; readonly text: string }>> = {
  0: { name: '#DE', status: 136, text: 'division by zero, or a quotient that does not fit' },
  1: { name: '#DB', status: 133, text: 'debug exception' },
  3: { name: '#BP', status: 133, text: 'breakpoint (int3)' },
  4: { name: '#OF', status: 139, text: 'overflow (into)' },
  5: { name: '#BR', status: 139, text: 'bound range exceeded' },
  6: { name: '#UD', status: 132, text: 'invalid instruction' },
  7: { name: '#NM', status: 139, text: 'no x87 state' },
  11: { name: '#NP', status: 139, text: 'segment not present' },
  12: { name: '#SS', status: 139, text: 'a stack address that is not canonical' },
  13: { name: '#GP', status: 139, text: 'a misaligned operand, a reserved bit that is set, or what only a kernel may do' },
  14: { name: '#PF', status: 139, text: 'page fault' },
  16: { name: '#MF', status: 136, text: 'x87 exception that is not masked' },
  17: { name: '#AC', status: 135, text: 'misaligned access' },
  19: { name: '#XM', status: 136, text: 'SSE exception that is not masked' },
};

/** Below this an address is a NULL pointer, or a field of what it points to. */
const nullPage = 0x1_0000n;
/** A frame may begin this far below the stack's end. */
const frameReach = 0x10_0000n;
const longestInstruction = 15;

export const faultReporter = (scene: FaultScene): FaultReporter => ({
  explain: async (leave, place) => explain(await withDisassembler(scene), leave, place),
  report: async (what, place) => report(await withDisassembler(scene), what, place),
});

interface ReadableScene extends FaultScene {
  readonly disassembler: typeof Decoder;
}

/** Loaded late: a guest that does not fault never needs it. */
const withDisassembler = async (scene: FaultScene): Promise<ReadableScene> => ({
  ...scene,
  disassembler: (await import('../x86/decode.ts')).Decoder,
});

function explain(scene: ReadableScene, leave: Leave, place: FaultPlace): Explanation {
  const at = instructionStart(scene, leave);
  const text = instruction(scene, at);
  if (leave.reason !== 'exception')
    return { status: 132, what: `#UD: ${text} has no meaning in an application`, at };
  const known = exceptions[leave.vector];
  if (known === undefined || isGate(leave))
    return { status: 139, what: `#GP: nobody handles ${text}`, at };
  const { name, status } = known;
  const { address, detail, vector } = leave;
  if (vector === 14 && address !== undefined)
    return { status, what: pageFault(scene, address, leave.errorCode ?? 0, place), at, address };
  if (vector === 6) return { status, what: `#UD: ${detail ?? `${known.text}: ${text}`}`, at };
  const more = detail === undefined ? '' : ` (${detail})`;
  return { status, what: `${name}: ${known.text}${more}: ${text}`, at };
}

/** INT n whose gate is not the application's: bit 1 of the error code is that of the IDT (SDM vol. 3, 6.13). */
const isGate = ({ vector, errorCode = 0 }: Extract<Leave, { reason: 'exception' }>): boolean =>
  vector === 13 && (errorCode & 2) !== 0;

/** Traps, hypercalls and HLT leave the instruction pointer behind them (SDM vol. 3, 6.5). */
function instructionStart({ cpu, memory }: FaultScene, leave: Leave): bigint {
  const isTrap = leave.reason === 'exception' && (isBreak(leave.vector) || leave.vector >= 32);
  if (leave.reason === 'exception' && !isTrap) return cpu.rip;
  const [first] = readable(memory, cpu.rip - 2n, 1);
  // INT n is cd, SYSCALL and SYSENTER begin with 0f; INT1, INT3 and HLT are one byte.
  const isLong = (first === 0xcd || first === 0x0f) && leave.reason !== 'halt';
  return cpu.rip - (isLong ? 2n : 1n);
}

const isBreak = (vector: number): boolean => vector === 1 || vector === 3;

function pageFault(
  scene: ReadableScene,
  address: bigint,
  errorCode: number,
  place: FaultPlace,
): string {
  const isWrite = (errorCode & pageFaultCode.write) !== 0;
  const isFetch = (errorCode & pageFaultCode.execute) !== 0;
  const did = isFetch ? 'executing at' : isWrite ? 'writing to' : 'reading from';
  return `#PF: ${did} ${hex(address)}: ${cause(scene, address, isWrite, isFetch, place)}`;
}

function cause(
  { cpu, segments, symbols, memory, walk }: FaultScene,
  address: bigint,
  isWrite: boolean,
  isFetch: boolean,
  { stack }: FaultPlace,
): string {
  if (walk !== undefined) return whatTablesSay(walk(address), isWrite, isFetch);
  const pointer = cpu.register(RSP);
  if (stack !== undefined && !isFetch && isOverflow(cpu.mode, address, pointer, stack.low))
    return `stack overflow: the stack of ${stack.high - stack.low} bytes ends at ${hex(stack.low)}`;
  if (address < nullPage) return 'a NULL pointer';
  const segment = segmentAt(segments, address);
  if (segment !== undefined) {
    const found = symbols.find(address);
    const name = found === undefined ? '' : ` (${found.name})`;
    if (isFetch) return `data${name}, not code`;
    return `read-only ${segment.executable ? 'code' : 'data'} of the image${name}`;
  }
  const isReadable = typeof memory.addressSpace.translate(address, 'read') === 'number';
  return isWrite && isReadable ? 'read-only or unused memory' : 'no memory is there';
}

/** Bits of an entry: present, writable, no execute (SDM vol. 3, 4.5). */
const entryBits = { present: 1n, writable: 2n, noExecute: 1n << 63n } as const;

function whatTablesSay(steps: readonly PageWalkStep[], isWrite: boolean, isFetch: boolean): string {
  const { present, writable, noExecute } = entryBits;
  const missing = steps.find(({ entry }) => (entry & present) === 0n);
  if (missing !== undefined) return `not mapped at level ${missing.level}`;
  const readOnly = steps.find(({ entry }) => (entry & writable) === 0n);
  if (isWrite && readOnly !== undefined) return `mapped read-only at level ${readOnly.level}`;
  const data = steps.find(({ entry }) => (entry & noExecute) !== 0n);
  if (isFetch && data !== undefined) return `mapped as data at level ${data.level}`;
  return 'mapped, but not for this';
}

/** A store just below the stack, or anywhere near a stack pointer that has left it. */
function isOverflow(mode: Mode, address: bigint, stackPointer: bigint, low: bigint): boolean {
  // A frame may be larger than all that lies below the stack, so that the pointer has wrapped around.
  const [place, pointer] = [BigInt.asIntN(mode, address), BigInt.asIntN(mode, stackPointer)];
  if (place >= low) return false;
  const isNear = place >= low - frameReach && pointer < low + frameReach;
  return isNear || (pointer < low && place >= pointer - 256n);
}

function report(scene: ReadableScene, what: string, place: FaultPlace): string {
  const { cpu, domain } = scene;
  const { stack, at = cpu.rip } = place;
  const range =
    stack === undefined || stack.isGuess ? '' : `, stack ${hex(stack.low)} to ${hex(stack.high)}`;
  return [
    `${domain}: ${what}`,
    `  at      ${location(scene, at)}: ${instruction(scene, at)}`,
    `  thread  ${place.thread}${range}`,
    ...registers(cpu).map((line) => `  ${line}`),
    ...walkLines(scene, place).map((line) => `  ${line}`),
    '  called from',
    ...callers(scene, place).map((line) => `    ${line}`),
  ].join('\n');
}

function walkLines({ walk }: FaultScene, { address }: FaultPlace): string[] {
  if (walk === undefined || address === undefined) return [];
  return [
    `page walk of ${hex(address)}`,
    ...walk(address).map(
      ({ level, table, index, entry }) =>
        `  level ${level}, frame ${hex(BigInt(table))}[${hex(BigInt(index))}] = ${hex(entry)}`,
    ),
  ];
}

/** Text and bytes of an instruction. */
function instruction({ cpu, memory, disassembler }: ReadableScene, at: bigint): string {
  const bytes = readable(memory, at, longestInstruction);
  if (bytes.length === 0) return 'no code is there';
  const decoder = new disassembler(cpu.mode, at, bytes);
  try {
    const { length, mnemonic } = decoder.decode(at);
    const raw = [...bytes.subarray(0, mnemonic === 'INVALID' ? 8 : length)];
    const text = mnemonic === 'INVALID' ? 'no instruction' : decoder.text(at);
    return `${text} (${raw.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')})`;
  } finally {
    decoder.free();
  }
}

/** As many bytes as there are. */
function readable(memory: GuestMemory, address: bigint, most: number): Uint8Array {
  for (let length = most; length > 0; length--) {
    try {
      return memory.readBytes(address, length);
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
    }
  }
  return new Uint8Array();
}

function registers(cpu: ReportedCpu): string[] {
  const { mode } = cpu;
  const pad = mode / 4;
  const cells = Array.from(
    { length: generalRegisters(mode) },
    (_, n) =>
      `${registerName(n, mode).padEnd(4)}${cpu.register(n).toString(16).padStart(pad, '0')}`,
  );
  const lines = Array.from({ length: cells.length / 4 }, (_, i) =>
    cells.slice(i * 4, i * 4 + 4).join('  '),
  );
  const flags = flagNames.filter((_, bit) => (cpu.eflags >> BigInt(bit)) & 1n).filter(Boolean);
  const name = mode === 64 ? 'rip' : 'eip';
  lines.push(
    `${name.padEnd(4)}${cpu.rip.toString(16).padStart(pad, '0')}  eflags ${cpu.eflags.toString(16)} [${flags.join(' ')}]`,
  );
  return lines;
}

/** By bit (SDM vol. 1, figure 3-8). */
const flagNames = ['CF', '', 'PF', '', 'AF', '', 'ZF', 'SF', 'TF', 'IF', 'DF', 'OF'];

function callers(scene: FaultScene, { stack }: FaultPlace): string[] {
  const { cpu, memory, segments } = scene;
  if (stack === undefined) return ['nobody: no thread is running'];
  const [stackPointer, framePointer] = [cpu.register(RSP), cpu.register(RBP)];
  const registers = { stackPointer, framePointer, hasFrame: hasFrame(scene) };
  const frames = backtrace({ memory, segments, width: cpu.mode, stack, ...registers });
  if (frames.length === 0) return ['nobody: no return address is on the stack'];
  return shortened(frames.map((frame) => frameText(scene, frame)));
}

/** Whether the function that runs began with PUSH rBP; MOV rBP,rSP, and has done both. */
function hasFrame({ cpu, memory, segments, symbols }: FaultScene): boolean {
  if (segmentAt(segments, cpu.rip)?.executable !== true) return false;
  const found = symbols.find(cpu.rip);
  if (found === undefined) return true; // nobody can tell; compilers make frames where they do not optimise
  const start = readable(memory, cpu.rip - found.offset, prologue[cpu.mode].length);
  const isFramed = prologue[cpu.mode].every((byte, i) => byte === start[i]);
  return isFramed && found.offset >= BigInt(start.length);
}

const prologue: Readonly<Record<Mode, readonly number[]>> = {
  64: [0x55, 0x48, 0x89, 0xe5],
  32: [0x55, 0x89, 0xe5],
};

function frameText({ symbols }: FaultScene, { address, isGuess, count }: Frame): string {
  // A call that never returns is the last of its function: what follows it is another.
  const found = symbols.find(address - 1n);
  const place = found === undefined ? '' : ` (${found.name}+${hex(found.offset + 1n)})`;
  return `${hex(address)}${place}${isGuess ? ' ?' : ''}${count > 1 ? `, ${count} times` : ''}`;
}

/** Of a long list the nearest callers and the outermost ones. */
const shownLines = { first: 10, last: 6 } as const;

function shortened(lines: readonly string[]): string[] {
  const { first, last } = shownLines;
  const left = lines.length - first - last;
  if (left <= 1) return [...lines];
  return [...lines.slice(0, first), `… ${left} more …`, ...lines.slice(-last)];
}

function location({ symbols }: FaultScene, address: bigint): string {
  const found = symbols.find(address);
  if (found === undefined) return hex(address);
  return `${hex(address)} (${found.name}+${hex(found.offset)})`;
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
