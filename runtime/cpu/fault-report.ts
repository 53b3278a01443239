/** What a person reads when a guest stops at a fault: what, where, registers, who called. SDM vol. 3, 6.15 names the faults. */
import type { Segment } from '../elf/segments.ts';
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

export interface FaultScene {
  readonly domain: string;
  readonly cpu: ReportedCpu;
  readonly memory: GuestMemory;
  readonly segments: readonly Segment[];
  readonly symbols: SymbolTable;
}

/** Which thread of the guest it was. */
export interface FaultPlace {
  readonly thread: string;
  readonly stack: { readonly low: bigint; readonly high: bigint } | undefined;
}

export interface FaultReporter {
  /** Exit status, and the fault in words. The guest does not run meanwhile: the disassembler is loaded when it is needed. */
  explain(
    leave: Leave,
    place: FaultPlace,
  ): Promise<{ readonly status: number; readonly what: string }>;
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
  13: { name: '#GP', status: 139, text: 'general protection: a privileged instruction, a misaligned SSE operand, or an address that is not canonical' },
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

function explain(
  scene: ReadableScene,
  leave: Leave,
  place: FaultPlace,
): { status: number; what: string } {
  if (leave.reason !== 'exception')
    return { status: 132, what: `#UD: ${instruction(scene)} has no meaning in an application` };
  const known = exceptions[leave.vector];
  if (known === undefined) return { status: 139, what: `exception ${leave.vector}` };
  const { name, status, text } = known;
  const address = leave.address;
  if (leave.vector === 14 && address !== undefined)
    return { status, what: pageFault(scene, address, leave.errorCode ?? 0, place) };
  if (leave.vector === 6)
    return { status, what: `#UD: ${leave.detail ?? `${text}: ${instruction(scene)}`}` };
  const detail = leave.detail === undefined ? '' : ` (${leave.detail})`;
  const isAtFault = leave.vector !== 1 && leave.vector !== 3;
  return { status, what: `${name}: ${text}${detail}${isAtFault ? `: ${instruction(scene)}` : ''}` };
}

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
  { cpu, segments, symbols, memory }: FaultScene,
  address: bigint,
  isWrite: boolean,
  isFetch: boolean,
  { stack }: FaultPlace,
): string {
  if (stack !== undefined && !isFetch && isOverflow(address, cpu.register(RSP), stack.low))
    return `stack overflow: the stack of ${stack.high - stack.low} bytes ends at ${hex(stack.low)}`;
  if (address < nullPage) return 'a NULL pointer';
  const segment = segments.find((s) => address >= s.address && address < s.address + s.memorySize);
  if (segment !== undefined) {
    const found = symbols.find(address);
    const name = found === undefined ? '' : ` (${found.name})`;
    if (isFetch) return `data${name}, not code`;
    return `read-only ${segment.executable ? 'code' : 'data'} of the image${name}`;
  }
  const isReadable = typeof memory.addressSpace.translate(address, 'read') === 'number';
  return isWrite && isReadable ? 'read-only or unused memory' : 'no memory is there';
}

/** A store just below the stack, or anywhere near a stack pointer that has left it. */
function isOverflow(address: bigint, stackPointer: bigint, low: bigint): boolean {
  if (address >= low) return false;
  const isNear = address >= low - frameReach && stackPointer < low + frameReach;
  return isNear || (stackPointer < low && address >= stackPointer - 256n);
}

function report(scene: ReadableScene, what: string, place: FaultPlace): string {
  const { cpu, domain } = scene;
  const { stack } = place;
  const range = stack === undefined ? '' : `, stack ${hex(stack.low)} to ${hex(stack.high)}`;
  return [
    `${domain}: ${what}`,
    `  at      ${location(scene, cpu.rip)}: ${instruction(scene)}`,
    `  thread  ${place.thread}${range}`,
    ...registers(cpu).map((line) => `  ${line}`),
    '  called from',
    ...callers(scene, place).map((line) => `    ${line}`),
  ].join('\n');
}

/** Text and bytes of the instruction at rip. */
function instruction({ cpu, memory, disassembler }: ReadableScene): string {
  const bytes = readable(memory, cpu.rip, longestInstruction);
  if (bytes.length === 0) return 'no code is there';
  const decoder = new disassembler(cpu.mode, cpu.rip, bytes);
  try {
    const { length, mnemonic } = decoder.decode(cpu.rip);
    const raw = [...bytes.subarray(0, mnemonic === 'INVALID' ? 8 : length)];
    const text = mnemonic === 'INVALID' ? 'no instruction' : decoder.text(cpu.rip);
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
  const width = cpu.mode;
  const frames = backtrace({ memory, segments, width, stack, stackPointer, framePointer });
  if (frames.length === 0) return ['nobody: no return address is on the stack'];
  return folded(frames.map((frame) => frameText(scene, frame)));
}

const frameText = (scene: FaultScene, { address, isGuess }: Frame): string =>
  `${location(scene, address)}${isGuess ? ' ?' : ''}`;

const mostLines = 16;

/** Recursion prints the same line again and again. */
function folded(lines: readonly string[]): string[] {
  const out: { line: string; count: number }[] = [];
  for (const line of lines) {
    const last = out.at(-1);
    if (last?.line === line) last.count++;
    else out.push({ line, count: 1 });
  }
  const shown = out
    .slice(0, mostLines)
    .map(({ line, count }) => (count > 1 ? `${line}, ${count} times` : line));
  return out.length > mostLines ? [...shown, '…'] : shown;
}

function location({ symbols }: FaultScene, address: bigint): string {
  const found = symbols.find(address);
  if (found === undefined) return hex(address);
  return `${hex(address)} (${found.name}+${hex(found.offset)})`;
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
