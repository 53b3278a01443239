/**
 * Arguments and results of host calls, by C prototype: System V AMD64 (psABI 3.2.3) on x86-64, cdecl (psABI i386, 2.2)
 * on x86-32. Integers of up to 32 bits are numbers; wider ones, longs and pointers are bigints.
 */
import type { GuestMemory } from '../memory/guest-memory.ts';
import { RAX, RCX, RDI, RDX, RSI, RSP } from '../x86/registers.ts';

type Width = 64 | 32;

/** `word` is as wide as the guest. */
interface Kind {
  readonly bits: 16 | 32 | 64 | 'word';
  readonly signed: boolean;
  readonly pointer: boolean;
}

export interface Parameter {
  readonly type: string;
  readonly kind: Kind;
}

export interface Prototype {
  readonly name: string;
  /** Undefined for void. */
  readonly result: Kind | undefined;
  readonly parameters: readonly Parameter[];
}

const pointerKind: Kind = { bits: 'word', signed: false, pointer: true };

const kinds: Readonly<Record<string, Kind>> = {
  int: { bits: 32, signed: true, pointer: false },
  unsigned: { bits: 32, signed: false, pointer: false },
  'unsigned int': { bits: 32, signed: false, pointer: false },
  int32_t: { bits: 32, signed: true, pointer: false },
  uint32_t: { bits: 32, signed: false, pointer: false },
  int64_t: { bits: 64, signed: true, pointer: false },
  uint64_t: { bits: 64, signed: false, pointer: false },
  long: { bits: 'word', signed: true, pointer: false },
  'unsigned long': { bits: 'word', signed: false, pointer: false },
  size_t: { bits: 'word', signed: false, pointer: false },
  ssize_t: { bits: 'word', signed: true, pointer: false },
  ptrdiff_t: { bits: 'word', signed: true, pointer: false },
  // Of Xen's headers, and Mini-OS's; the generated header has them as typedefs.
  domid_t: { bits: 16, signed: false, pointer: false },
  evtchn_port_t: { bits: 32, signed: false, pointer: false },
  grant_ref_t: { bits: 32, signed: false, pointer: false },
  evtchn_handler_t: pointerKind,
};

/** The same reading by the type checker, so that an implementation that takes other arguments does not compile. */
type NumberType =
  | 'int'
  | 'unsigned'
  | 'unsigned int'
  | 'int32_t'
  | 'uint32_t'
  | 'domid_t'
  | 'evtchn_port_t'
  | 'grant_ref_t';
type BigType =
  | 'int64_t'
  | 'uint64_t'
  | 'long'
  | 'unsigned long'
  | 'size_t'
  | 'ssize_t'
  | 'ptrdiff_t'
  | 'evtchn_handler_t';
type Typed<S extends string> = S extends `${string}*${string}`
  ? bigint
  : S extends `${BigType} ${string}`
    ? bigint
    : S extends `${NumberType} ${string}`
      ? number
      : never;
type Listed<S extends string> = S extends 'void'
  ? []
  : S extends `${infer First}, ${infer Rest}`
    ? [Typed<First>, ...Listed<Rest>]
    : [Typed<S>];
export type ArgumentsOf<P extends string> = P extends `${string}(${infer Inside})`
  ? Listed<Inside>
  : never;
export type ResultOf<P extends string> = P extends `${infer Head}(${string}`
  ? Head extends `${string}*${string}`
    ? bigint
    : Head extends `void ${string}`
      ? undefined
      : Typed<Head>
  : never;

export function parsePrototype(text: string): Prototype {
  const match = /^(.*?)(\w+)\((.*)\)$/.exec(text);
  if (match === null) throw new TypeError(`not a C prototype: ${text}`);
  const [, result = '', name = '', inside = ''] = match;
  const listed = inside === 'void' ? [] : splitParameters(inside);
  return {
    name,
    result: result.trim() === 'void' ? undefined : kindOf(result.trim(), text),
    parameters: listed.map((parameter) => parseParameter(parameter, text)),
  };
}

/** At commas outside of parentheses. */
function splitParameters(inside: string): string[] {
  const parts: string[] = [''];
  let depth = 0;
  for (const character of inside) {
    depth += character === '(' ? 1 : character === ')' ? -1 : 0;
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim());
}

function parseParameter(parameter: string, text: string): Parameter {
  if (parameter.includes('*')) return { type: parameter, kind: pointerKind };
  const type = parameter.replace(/\s*\b\w+$/, '');
  return { type, kind: kindOf(type === '' ? parameter : type, text) };
}

function kindOf(type: string, text: string): Kind {
  const kind = type.includes('*') ? pointerKind : kinds[type];
  if (kind === undefined)
    throw new TypeError(`a type that marshal.ts does not know: ${type} in ${text}`);
  return kind;
}

/** What marshalling needs of a vCPU. */
export interface RegisterFile {
  register(n: number): bigint;
  setRegister(n: number, value: bigint): void;
}

export type Argument = number | bigint;
export type ArgumentReader = (registers: RegisterFile, memory: GuestMemory) => Argument[];

const integerRegisters = [RDI, RSI, RDX, RCX, 8, 9];

/** Reads the arguments at a function's first instruction: the stack pointer is at the return address. */
export function argumentReader({ parameters }: Prototype, width: Width): ArgumentReader {
  if (width === 64)
    return (registers, memory) =>
      parameters.map(({ kind }, index) => {
        const register = integerRegisters[index];
        if (register !== undefined) return shape(registers.register(register), kind, 64);
        const slot = BigInt(8 * (index - integerRegisters.length + 1));
        return shape(memory.readU64(registers.register(RSP) + slot), kind, 64);
      });
  let next = 4n;
  const slots = parameters.map(({ kind }) => {
    const at = next;
    next += kind.bits === 64 ? 8n : 4n;
    return { at, kind };
  });
  return (registers, memory) => {
    const stack = registers.register(RSP);
    return slots.map(({ at, kind }) =>
      kind.bits === 64
        ? shape(memory.readU64(stack + at), kind, 32)
        : shape(BigInt(memory.readU32(stack + at)), kind, 32),
    );
  };
}

function shape(value: bigint, { bits, signed }: Kind, width: Width): Argument {
  const size = bits === 'word' ? width : bits;
  const cut = signed ? BigInt.asIntN(size, value) : BigInt.asUintN(size, value);
  return bits === 32 || bits === 16 ? Number(cut) : cut;
}

export type ResultWriter = (registers: RegisterFile, value: Argument | undefined) => void;

/** rax; eax, and edx above it for 64 bits on x86-32. */
export function resultWriter({ result }: Prototype, width: Width): ResultWriter {
  if (result === undefined) return () => {};
  const bits = result.bits === 'word' ? width : result.bits;
  return (registers, value = 0) => {
    const all = BigInt.asUintN(bits, BigInt(value));
    if (width === 64 || bits <= 32) {
      registers.setRegister(RAX, all);
      return;
    }
    registers.setRegister(RAX, BigInt.asUintN(32, all));
    registers.setRegister(RDX, all >> 32n);
  };
}
