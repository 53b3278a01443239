/** Bytes → instructions with operands as semantics see them. The only importer of iced-x86. */
import iced from 'iced-x86';
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

/** Mnemonic number → name in capitals. */
const mnemonics = Object.entries(Mnemonic).reduce<string[]>((names, [name, number]) => {
  if (typeof number === 'number') names[number] = name.toUpperCase();
  return names;
}, []);
const codes = Object.entries(iced.Code).reduce<string[]>((names, [name, number]) => {
  if (typeof number === 'number') names[number] = name;
  return names;
}, []);

const none: Operand = { kind: 'immediate', value: 0n, width: 8 };

/** Built once for each register: operands are immutable. */
const registerOperands: readonly (Operand | undefined)[] = Array.from({ length: 256 }, (_, r) =>
  registerOperand(r),
);

function registerOperand(r: number): Operand | undefined {
  const number = r === Register.None ? 0 : RegisterExt.number(r);
  if (RegisterExt.isGPR(r)) {
    const width = (RegisterExt.size(r) * 8) as Width;
    // iced-x86 counts AH to BH between BL and SPL.
    const register = r >= Register.AH && r <= Register.R15L ? number - 4 : number;
    const offset = r >= Register.AH && r <= Register.BH ? 8 : 0;
    return { kind: 'register', register, width, offset };
  }
  if (RegisterExt.isXMM(r) && number < 16)
    return { kind: 'register', register: XMM0 + number, width: 128, offset: 0 };
  const special = (file: 'st' | 'mm' | 'segment' | 'control' | 'debug', width: Width): Operand => ({
    kind: 'special',
    file,
    index: number,
    width,
  });
  if (RegisterExt.isST(r)) return special('st', 128);
  if (RegisterExt.isMM(r)) return special('mm', 64);
  if (RegisterExt.isSegmentRegister(r)) return special('segment', 16);
  if (RegisterExt.isCR(r)) return special('control', 64);
  if (RegisterExt.isDR(r)) return special('debug', 64);
  return undefined;
}

// biome-ignore format: a table
const immediateWidths: Partial<Record<number, Width>> = {
  [OpKind.Immediate8]: 8, [OpKind.Immediate8_2nd]: 8, [OpKind.Immediate16]: 16, [OpKind.Immediate32]: 32, [OpKind.Immediate64]: 64,
  [OpKind.Immediate8to16]: 16, [OpKind.Immediate8to32]: 32, [OpKind.Immediate8to64]: 64, [OpKind.Immediate32to64]: 64,
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

/** Operand width by iced-x86's name of the form, where no operand tells: `Pushfq`, `Leaved`, `Iretw` …; cached. */
const operandWidthOf = (code: string, mode: Mode): 16 | 32 | 64 => {
  const suffix = /(?:q|64)$/.test(code)
    ? 64
    : /(?:d|32)$/.test(code)
      ? 32
      : /(?:w|16)$/.test(code)
        ? 16
        : mode;
  return suffix;
};

/** Decodes one stretch of code; `bytes` is copied. */
export class Decoder {
  readonly mode: Mode;
  readonly #decoder: InstanceType<typeof iced.Decoder>;
  readonly #instruction = new iced.Instruction();
  readonly #start: bigint;
  readonly #size: number;
  readonly #bytes: Uint8Array;

  constructor(mode: Mode, start: bigint, bytes: Uint8Array) {
    this.mode = mode;
    this.#start = start;
    this.#size = bytes.length;
    this.#bytes = bytes;
    this.#decoder = new iced.Decoder(mode, bytes, iced.DecoderOptions.None);
  }

  contains(address: bigint): boolean {
    return address >= this.#start && address < this.#start + BigInt(this.#size);
  }

  /** The instruction at an address that this stretch contains. */
  decode(address: bigint): Instruction {
    const raw = this.#decodeRaw(address);
    const code = codes[raw.code] ?? 'INVALID';
    const count = raw.opCount;
    const operand = (i: number): Operand => (i < count ? this.#operand(raw, i) : none);
    const operands: Operands = [operand(0), operand(1), operand(2), operand(3)];
    return {
      address,
      next: address + BigInt(raw.length),
      length: raw.length,
      mode: this.mode,
      mnemonic: mnemonics[raw.mnemonic] ?? 'INVALID',
      operands,
      flow: raw.mnemonic === Mnemonic.INVALID ? 'stop' : (flows[raw.flowControl] ?? 'stop'),
      target: this.#target(raw),
      repeat: raw.hasRepnePrefix ? 'repne' : raw.hasRepPrefix ? 'rep' : undefined,
      operandWidth: operandWidthOf(code, this.mode),
      addressWidth: this.#addressWidth(raw, operands),
      code,
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

  #decodeRaw(address: bigint): InstanceType<typeof iced.Instruction> {
    this.#decoder.position = Number(address - this.#start);
    this.#decoder.ip = address;
    this.#decoder.decodeOut(this.#instruction);
    return this.#instruction;
  }

  #target(raw: InstanceType<typeof iced.Instruction>): bigint | undefined {
    const kind = raw.opCount === 0 ? OpKind.Register : raw.opKind(0);
    return kind === OpKind.NearBranch64 ||
      kind === OpKind.NearBranch32 ||
      kind === OpKind.NearBranch16
      ? raw.nearBranchTarget
      : undefined;
  }

  #addressWidth(raw: InstanceType<typeof iced.Instruction>, operands: Operands): 16 | 32 | 64 {
    for (const operand of operands) if (operand.kind === 'memory') return operand.addressWidth;
    const name = codes[raw.code] ?? '';
    const told = /_(RCX|ECX|CX)$|^J(r|e)?cxz/.exec(name);
    if (told === null) return this.mode;
    if (told[1] !== undefined) return told[1] === 'RCX' ? 64 : told[1] === 'ECX' ? 32 : 16;
    return told[2] === 'r' ? 64 : told[2] === 'e' ? 32 : 16;
  }

  #operand(raw: InstanceType<typeof iced.Instruction>, i: number): Operand {
    const kind = raw.opKind(i);
    if (kind === OpKind.Register) return registerOperands[raw.opRegister(i)] ?? none;
    if (kind === OpKind.Memory) return this.#memoryOperand(raw);
    if (kind === OpKind.FarBranch16 || kind === OpKind.FarBranch32) return farPointer(raw, kind);
    const width = immediateWidths[kind];
    if (width !== undefined) return { kind: 'immediate', value: raw.immediate(i), width };
    const string = stringOperands[kind];
    if (string === undefined) return none;
    return {
      ...memorySize(raw),
      segmentBase: string.source ? segmentBase(raw.memorySegment) : undefined,
      base: string.base,
      index: undefined,
      scale: 1,
      displacement: 0n,
      addressWidth: string.addressWidth,
    };
  }

  #memoryOperand(raw: InstanceType<typeof iced.Instruction>): Operand {
    const base = raw.memoryBase;
    const index = raw.memoryIndex;
    const relative = base === Register.RIP || base === Register.EIP;
    const size =
      base !== Register.None
        ? RegisterExt.size(base)
        : index !== Register.None
          ? RegisterExt.size(index)
          : raw.memoryDisplSize;
    const addressWidth = size === 2 ? 16 : size === 4 ? 32 : size === 8 ? 64 : this.mode;
    return {
      ...memorySize(raw),
      segmentBase: segmentBase(raw.memorySegment),
      base: base === Register.None || relative ? undefined : RegisterExt.number(base),
      index: index === Register.None ? undefined : RegisterExt.number(index),
      scale: raw.memoryIndexScale,
      displacement: raw.memoryDisplacement,
      addressWidth,
    };
  }
}

/** ptr16:16 or ptr16:32: the selector above the offset. */
const farPointer = (raw: InstanceType<typeof iced.Instruction>, kind: number): Operand =>
  kind === OpKind.FarBranch16
    ? {
        kind: 'immediate',
        width: 32,
        value: BigInt(raw.farBranchSelector * 0x1_0000 + raw.farBranch16),
      }
    : {
        kind: 'immediate',
        width: 64,
        value: (BigInt(raw.farBranchSelector) << 32n) | BigInt(raw.farBranch32),
      };

const memorySize = (
  raw: InstanceType<typeof iced.Instruction>,
): { kind: 'memory'; width: Width; bytes: number } => {
  const bytes = MemorySizeExt.size(raw.memorySize);
  const bits = bytes * 8;
  const width = bits === 8 || bits === 16 || bits === 32 || bits === 64 || bits === 128 ? bits : 8;
  return { kind: 'memory', width, bytes };
};

/** Only FS and GS have a base other than 0 in the flat segments of our guests. */
const segmentBase = (segment: number): number | undefined =>
  segment === Register.FS ? cpuState.fsBase : segment === Register.GS ? cpuState.gsBase : undefined;
