/** Bytes → instructions with operands as semantics see them. The only user of iced-x86. */
import { iced } from '#iced';
import type { Operand } from '../ir/operand.ts';
import type { Width } from '../ir/ops.ts';
import { type Mode, XMM0 } from './registers.ts';
import type { InstructionFacts, Operands } from './semantics.ts';
import { cpuState } from './state.ts';

const { FlowControl, Mnemonic, OpKind, Register, RegisterExt, MemorySizeExt } = iced;

export type Flow = 'next' | 'jump' | 'jumpIndirect' | 'branch' | 'call' | 'return' | 'stop';

export interface Instruction extends InstructionFacts {
  readonly length: number;
  /** In capitals; INVALID where the bytes are no instruction, or are cut off. */
  readonly mnemonic: string;
  readonly operands: Operands;
  readonly flow: Flow;
}

type Raw = InstanceType<typeof iced.Instruction>;

const none: Operand = { kind: 'immediate', value: 0n, width: 8 };

type SpecialFile = Extract<Operand, { kind: 'special' }>['file'];

const general =
  (width: Width, offset = 0) =>
  (register: number): Operand => ({
    kind: 'register',
    register,
    width,
    offset,
  });
const special =
  (file: SpecialFile, width: Width) =>
  (index: number): Operand => ({
    kind: 'special',
    file,
    index,
    width,
  });

/** Runs of iced-x86's numbers for registers: the first, how many, the first's number in the manual, and the operand. */
// biome-ignore format: a table
const registerRuns: readonly (readonly [first: number, count: number, number: number, operand: (number: number) => Operand])[] = [
  [Register.AL, 4, 0, general(8)], [Register.AH, 4, 0, general(8, 8)], [Register.SPL, 12, 4, general(8)],
  [Register.AX, 16, 0, general(16)], [Register.EAX, 16, 0, general(32)], [Register.RAX, 16, 0, general(64)],
  [Register.XMM0, 16, XMM0, general(128)],
  [Register.ST0, 8, 0, special('st', 128)], [Register.MM0, 8, 0, special('mm', 64)], [Register.ES, 6, 0, special('segment', 16)],
  [Register.CR0, 16, 0, special('control', 64)], [Register.DR0, 16, 0, special('debug', 64)],
];

/** Built once for each register: operands are immutable. */
const registerOperands: readonly (Operand | undefined)[] = registerRuns.reduce<Operand[]>(
  (operands, [first, count, number, operand]) => {
    for (let i = 0; i < count; i++) operands[first + i] = operand(number + i);
    return operands;
  },
  [],
);

/** The number of a register that is part of an address. */
function numberOf(register: number): number | undefined {
  const operand = registerOperands[register];
  return operand?.kind === 'register' ? operand.register : undefined;
}

/** By kind: width, and how the number is had, sign-extended. Far pointers have the selector above the offset. */
// biome-ignore format: a table
const immediates: Partial<Record<number, { readonly width: Width; readonly value: (raw: Raw) => number | bigint }>> = {
  [OpKind.Immediate8]: { width: 8, value: (raw) => raw.immediate8 },
  [OpKind.Immediate8_2nd]: { width: 8, value: (raw) => raw.immediate8_2nd },
  [OpKind.Immediate16]: { width: 16, value: (raw) => raw.immediate16 },
  [OpKind.Immediate32]: { width: 32, value: (raw) => raw.immediate32 },
  [OpKind.Immediate64]: { width: 64, value: (raw) => raw.immediate64 },
  [OpKind.Immediate8to16]: { width: 16, value: (raw) => raw.immediate8to16 },
  [OpKind.Immediate8to32]: { width: 32, value: (raw) => raw.immediate8to32 },
  [OpKind.Immediate8to64]: { width: 64, value: (raw) => raw.immediate8to64 },
  [OpKind.Immediate32to64]: { width: 64, value: (raw) => raw.immediate32to64 },
  [OpKind.FarBranch16]: { width: 32, value: (raw) => raw.farBranchSelector * 2 ** 16 + raw.farBranch16 },
  [OpKind.FarBranch32]: { width: 64, value: (raw) => raw.farBranchSelector * 2 ** 32 + raw.farBranch32 },
};

/** Implicit memory operands of string instructions: base register and address width. */
// biome-ignore format: a table
const stringOperands: Partial<Record<number, { base: number; addressWidth: 16 | 32 | 64; source: boolean }>> = {
  [OpKind.MemorySegSI]: { base: 6, addressWidth: 16, source: true }, [OpKind.MemorySegESI]: { base: 6, addressWidth: 32, source: true }, [OpKind.MemorySegRSI]: { base: 6, addressWidth: 64, source: true },
  [OpKind.MemorySegDI]: { base: 7, addressWidth: 16, source: true }, [OpKind.MemorySegEDI]: { base: 7, addressWidth: 32, source: true }, [OpKind.MemorySegRDI]: { base: 7, addressWidth: 64, source: true },
  [OpKind.MemoryESDI]: { base: 7, addressWidth: 16, source: false }, [OpKind.MemoryESEDI]: { base: 7, addressWidth: 32, source: false }, [OpKind.MemoryESRDI]: { base: 7, addressWidth: 64, source: false },
};

const flows: Readonly<Record<number, Flow>> = {
  [FlowControl.Next]: 'next',
  [FlowControl.UnconditionalBranch]: 'jump',
  [FlowControl.IndirectBranch]: 'jumpIndirect',
  [FlowControl.ConditionalBranch]: 'branch',
  [FlowControl.Return]: 'return',
  [FlowControl.Call]: 'call',
  [FlowControl.IndirectCall]: 'call',
  [FlowControl.Interrupt]: 'stop',
  [FlowControl.XbeginXabortXend]: 'stop',
  [FlowControl.Exception]: 'stop',
};

/** Bytes that an instruction with a segment override, a repetition or another address size begins with (SDM vol. 2, 2.1.1). */
const legacyPrefixes: ReadonlySet<number> = new Set([
  0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3,
]);

/** How an operand is had: each question to iced-x86 is a call into WebAssembly. */
type OperandReader = (raw: Raw, form: Form, hasPrefix: boolean) => Operand;

/** What all instructions of one form (iced-x86's `Code`) share. */
interface Form {
  readonly code: string;
  readonly mnemonic: string;
  readonly flow: Flow;
  readonly isNearBranch: boolean;
  readonly operandWidth: 16 | 32 | 64;
  /** Where no operand in memory tells. */
  readonly addressWidth: 16 | 32 | 64;
  readonly memory: { readonly width: Width; readonly bytes: number };
  readonly operands: readonly [OperandReader, OperandReader, OperandReader, OperandReader];
}

function formOf(raw: Raw, mode: Mode): Form {
  const code = iced.Code[raw.code] ?? 'INVALID';
  const first = raw.opCount === 0 ? OpKind.Register : raw.op0Kind;
  return {
    code,
    mnemonic: (Mnemonic[raw.mnemonic] ?? 'INVALID').toUpperCase(),
    flow: raw.mnemonic === Mnemonic.INVALID ? 'stop' : (flows[raw.flowControl] ?? 'stop'),
    isNearBranch:
      first === OpKind.NearBranch64 ||
      first === OpKind.NearBranch32 ||
      first === OpKind.NearBranch16,
    operandWidth: operandWidthOf(code, mode),
    addressWidth: addressWidthOf(code, mode),
    memory: memorySize(raw),
    operands: [
      operandReader(raw, 0, mode),
      operandReader(raw, 1, mode),
      operandReader(raw, 2, mode),
      operandReader(raw, 3, mode),
    ],
  };
}

/** Operand width by iced-x86's name of the form, where no operand tells: `Pushfq`, `Leaved`, `Iretw` … */
const operandWidthOf = (code: string, mode: Mode): 16 | 32 | 64 =>
  /(?:q|64)$/.test(code) ? 64 : /(?:d|32)$/.test(code) ? 32 : /(?:w|16)$/.test(code) ? 16 : mode;

function addressWidthOf(code: string, mode: Mode): 16 | 32 | 64 {
  const told = /_(RCX|ECX|CX)$|^J(r|e)?cxz/.exec(code);
  if (told === null) return mode;
  if (told[1] !== undefined) return told[1] === 'RCX' ? 64 : told[1] === 'ECX' ? 32 : 16;
  return told[2] === 'r' ? 64 : told[2] === 'e' ? 32 : 16;
}

const memorySize = (raw: Raw): Form['memory'] => {
  const bytes = MemorySizeExt.size(raw.memorySize);
  const bits = bytes * 8;
  const width = bits === 8 || bits === 16 || bits === 32 || bits === 64 || bits === 128 ? bits : 8;
  return { width, bytes };
};

const nothing: OperandReader = () => none;

const registerNumbers: readonly ((raw: Raw) => number)[] = [
  (raw) => raw.op0Register,
  (raw) => raw.op1Register,
  (raw) => raw.op2Register,
  (raw) => raw.op3Register,
];

/** The kind of an operand belongs to the form, but for a register that may be memory, and for the registers of strings. */
function operandReader(raw: Raw, i: number, mode: Mode): OperandReader {
  if (i >= raw.opCount) return nothing;
  const kind = raw.opKind(i);
  const immediate = immediates[kind];
  if (immediate !== undefined) {
    const { width, value } = immediate;
    return (from) => ({ kind: 'immediate', value: BigInt(value(from)), width });
  }
  if (stringOperands[kind] !== undefined)
    return (from, form, hasPrefix) => stringOperand(from, from.opKind(i), form, hasPrefix);
  const number = registerNumbers[i];
  if ((kind !== OpKind.Register && kind !== OpKind.Memory) || number === undefined) return nothing;
  return (from, form, hasPrefix) => {
    const register = number(from);
    if (register !== Register.None) return registerOperands[register] ?? none;
    return from.opKind(i) === OpKind.Memory ? memoryOperand(from, form, hasPrefix, mode) : none;
  };
}

function stringOperand(raw: Raw, kind: number, form: Form, hasPrefix: boolean): Operand {
  const string = stringOperands[kind];
  if (string === undefined) return none;
  return {
    kind: 'memory',
    width: form.memory.width,
    bytes: form.memory.bytes,
    segmentBase: string.source && hasPrefix ? segmentBase(raw.memorySegment) : undefined,
    base: string.base,
    index: undefined,
    scale: 1,
    displacement: 0n,
    addressWidth: string.addressWidth,
  };
}

function memoryOperand(raw: Raw, form: Form, hasPrefix: boolean, mode: Mode): Operand {
  const base = raw.memoryBase;
  const index = raw.memoryIndex;
  const isRelative = base === Register.RIP || base === Register.EIP;
  return {
    kind: 'memory',
    width: form.memory.width,
    bytes: form.memory.bytes,
    segmentBase: hasPrefix ? segmentBase(raw.memorySegment) : undefined,
    base: isRelative ? undefined : numberOf(base),
    index: numberOf(index),
    scale: index === Register.None ? 1 : raw.memoryIndexScale,
    displacement: raw.memoryDisplacement,
    addressWidth: hasPrefix ? addressWidthIn(raw, base, index, mode) : mode,
  };
}

/** Only a prefix makes it another than the mode's; an address of a displacement alone says so by its size. */
function addressWidthIn(raw: Raw, base: number, index: number, mode: Mode): 16 | 32 | 64 {
  const known = base !== Register.None ? base : index;
  const size = known === Register.None ? raw.memoryDisplSize : RegisterExt.size(known);
  return size === 2 ? 16 : size === 4 ? 32 : size === 8 ? 64 : mode;
}

/** Only FS and GS have a base other than 0 in the flat segments of our guests. */
const segmentBase = (segment: number): number | undefined =>
  segment === Register.FS ? cpuState.fsBase : segment === Register.GS ? cpuState.gsBase : undefined;

/** Built once: lengths of instructions. */
const lengths: readonly bigint[] = Array.from({ length: 16 }, (_, i) => BigInt(i));

/** Decodes one stretch of code; `bytes` is copied. */
export class Decoder {
  readonly mode: Mode;
  readonly #decoder: InstanceType<typeof iced.Decoder>;
  readonly #instruction = new iced.Instruction();
  readonly #start: bigint;
  readonly #end: bigint;
  readonly #bytes: Uint8Array;
  /** By number of the code, as they are met. */
  readonly #forms: (Form | undefined)[] = [];
  /** Where iced-x86 stands: an offset, and the address if it was left behind an instruction. */
  #position = 0;
  #next: bigint | undefined;

  /** Instructions begin in the first `count` bytes; what is behind them belongs to the last one. */
  constructor(mode: Mode, start: bigint, bytes: Uint8Array, count = bytes.length) {
    this.mode = mode;
    this.#start = start;
    this.#end = start + BigInt(Math.min(count, bytes.length));
    this.#bytes = bytes;
    this.#decoder = new iced.Decoder(mode, bytes, iced.DecoderOptions.None);
  }

  contains(address: bigint): boolean {
    return address >= this.#start && address < this.#end;
  }

  /** The instruction at an address that this stretch contains. */
  decode(address: bigint): Instruction {
    const raw = this.#decodeRaw(address);
    const number = raw.code;
    const form = this.#forms[number] ?? this.#learn(number, raw);
    const { operands: read } = form;
    const length = raw.length;
    const hasPrefix = this.#hasPrefix();
    const operands: Operands = [
      read[0](raw, form, hasPrefix),
      read[1](raw, form, hasPrefix),
      read[2](raw, form, hasPrefix),
      read[3](raw, form, hasPrefix),
    ];
    this.#position += length;
    this.#next = address + (lengths[length] ?? 0n);
    return {
      address,
      next: this.#next,
      length,
      mode: this.mode,
      mnemonic: form.mnemonic,
      operands,
      flow: form.flow,
      target: form.isNearBranch ? raw.nearBranchTarget : undefined,
      repeat: hasPrefix ? repetition(raw) : undefined,
      operandWidth: form.operandWidth,
      addressWidth: hasPrefix ? addressWidthOfAny(operands, form) : form.addressWidth,
      code: form.code,
    };
  }

  /** In Intel's syntax, for reports and traces. */
  text(address: bigint): string {
    return this.#decodeRaw(address).toString();
  }

  bytesAt(address: bigint, length: number): Uint8Array {
    const at = Number(address - this.#start);
    return this.#bytes.subarray(at, at + length);
  }

  /** Gives iced-x86's memory back. */
  free(): void {
    this.#decoder.free();
    this.#instruction.free();
  }

  /** iced-x86 goes on behind the last instruction by itself. */
  #decodeRaw(address: bigint): Raw {
    if (address !== this.#next) {
      this.#position = Number(address - this.#start);
      this.#decoder.position = this.#position;
      this.#decoder.ip = address;
    }
    this.#next = undefined;
    this.#decoder.decodeOut(this.#instruction);
    return this.#instruction;
  }

  /** A REX prefix that is not the last one means nothing, and legacy ones may follow it. */
  #hasPrefix(): boolean {
    let at = this.#position;
    while (((this.#bytes[at] ?? 0) & 0xf0) === 0x40) at++;
    return legacyPrefixes.has(this.#bytes[at] ?? 0);
  }

  #learn(number: number, raw: Raw): Form {
    const form = formOf(raw, this.mode);
    this.#forms[number] = form;
    return form;
  }
}

const repetition = (raw: Raw): 'rep' | 'repne' | undefined =>
  raw.hasRepnePrefix ? 'repne' : raw.hasRepPrefix ? 'rep' : undefined;

function addressWidthOfAny(operands: Operands, form: Form): 16 | 32 | 64 {
  for (const operand of operands) if (operand.kind === 'memory') return operand.addressWidth;
  return form.addressWidth;
}
