/** The recorded instruction forms, classified for random programs: what they read, write and leave undefined. */
import { type Flag, flagNames } from '../../runtime/ir/ops.ts';
import type { Block, Statement, Value } from '../../runtime/ir/value.ts';
import { operandsOf } from '../../runtime/recompiler/lower/plan.ts';
import { type Mode, RDI } from '../../runtime/x86/registers.ts';
import { hasSemantics } from '../../runtime/x86/translate.ts';
import { blockOf } from './evaluator.ts';
import type { Relative } from './lockstep-items.ts';
import { registerNames } from './vectors/state.ts';
import { forms, sampled } from './vectors.ts';

export interface Form {
  readonly group: string;
  readonly text: string;
  readonly bytes: readonly number[];
  /** Flags whose value goes into a register, memory or a flag of another name. */
  readonly consumes: ReadonlySet<Flag>;
  readonly defines: ReadonlySet<Flag>;
  /** Flags that it may leave undefined. */
  readonly undefines: ReadonlySet<Flag>;
  readonly writes: ReadonlySet<number>;
  /** The pointer that its address is made of, and what is added to it: an index, or BT's bit offset. */
  readonly base: number | undefined;
  readonly indices: readonly number[];
  readonly relative: Relative | undefined;
  /** Reads a flag in any way. */
  readonly readsFlags: boolean;
  /** What it leaves of its destination is defined only if CL is at most 16 (SHLD and SHRD of 16 bits). */
  readonly wantsSmallCount: boolean;
}

/** Groups with what differs between CPUs, what leaves the block, or what needs MXCSR's sticky flags. */
const excludedGroups =
  /^(fpu-transcendental|fpu-unmasked|sse-approximate|sse-mxcsr|control-transfer|fxsr|string)$/;
/**
 * Loads of whole control words, the x87's own pointers, stacks that move by what they hold, and traps; and dot products,
 * of whose NaNs it depends on the CPU which one ends in which lane (SDM vol. 2, DPPS).
 */
const excludedForms =
  /mxcsr|^dpp[sd]\b|^fldcw|^f[n]?(stenv|save|ldenv|rstor)|^popf|^enter|^leave|^pusha|^popa|^popw? *sp\b|^std|^cli|^sti|^ud|\b[fg]s:/i;

/** SHLD and SHRD of 16 bits: what they leave where the count is larger is not defined, and Intel's CPUs leave something else than AMD's. */
const doubleShift16 = /^sh[lr]d .*,(?:r\d+w|[abcd]x|[sd]i|[sb]p),(cl|[0-9a-f]+)h?$/i;
const mostDefined = 16;

/** Of an opcode's recorded forms, one of so many. */
const oneOf = 10;

export function classifiedForms(mode: Mode): readonly Form[] {
  const known: Form[] = [];
  const some = sampled(1, oneOf);
  for (const { group, asm, bytes, rip, mnemonic, code } of forms(mode, undefined, some)) {
    if (excludedGroups.test(group) || excludedForms.test(asm)) continue;
    if (!hasSemantics({ mnemonic: mnemonic.toUpperCase(), code })) continue;
    const block = blockOf(mode, bytes, rip);
    const next = rip + BigInt(bytes.length);
    const { terminator } = block;
    if (terminator.kind !== 'jump' || terminator.target !== next) continue;
    const base = baseOf(asm, mode);
    const addresses = block.statements.flatMap(addressRegisters);
    const indices = [...new Set(addresses)].filter((register) => register !== base);
    // The bit offset of BT is no index where it is the pointer itself.
    if (base !== undefined && asm.endsWith(`],${registerNames[mode][base]}`)) continue;
    const relative = relativeOf(asm, bytes, rip);
    const count = countOf(asm, bytes);
    if (count > mostDefined) continue;
    known.push({
      ...{ group, text: asm, bytes: [...bytes], base, indices, relative },
      ...{ wantsSmallCount: count < 0, ...facts(block) },
    });
  }
  return known;
}

/** By how much a form of `doubleShift16` shifts, negative where CL says it; 0 of others. */
function countOf(text: string, bytes: Uint8Array): number {
  const count = doubleShift16.exec(text)?.[1];
  if (count === undefined) return 0;
  return count === 'cl' ? -1 : (bytes.at(-1) ?? 0) % 32;
}

/** `[20001F90h]` by way of RIP: the bytes hold the distance from the next instruction. */
function relativeOf(text: string, bytes: Uint8Array, rip: bigint): Relative | undefined {
  const hex = /\[([0-9A-F]{8})h\]/.exec(text)?.[1];
  if (hex === undefined) return undefined;
  const target = BigInt(`0x${hex}`);
  const distance = Number(target - rip) - bytes.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let offset = 1; offset + 4 <= bytes.length; offset++)
    if (view.getInt32(offset, true) === distance) return { offset, target };
  return undefined;
}

/** `[rdi+rcx*2-10h]` has the base rdi, `[r13d]` r13, `[rcx*8+20000080h]` none. */
function baseOf(text: string, mode: Mode): number | undefined {
  if (text.startsWith('maskmov')) return RDI;
  const name = /\[(r\d+|[re]?[a-z]{2})d?(?=[-+\]])/.exec(text)?.[1];
  if (name === undefined) return undefined;
  const full = /^r\d/.test(name) ? name : `${mode === 64 ? 'r' : 'e'}${name.slice(-2)}`;
  const index = registerNames[mode].indexOf(full);
  return index < 0 ? undefined : index;
}

function facts(
  block: Block,
): Omit<Form, 'group' | 'text' | 'bytes' | 'base' | 'indices' | 'relative' | 'wantsSmallCount'> {
  const { statements } = block;
  const plain = statements.filter((s) => s.kind !== 'setFlags');
  const consumes = new Set(plain.flatMap((s) => operandsOf(s).flatMap(flagLeaves)));
  const defines = new Set<Flag>();
  const undefines = new Set<Flag>();
  const isPacked = statements.some((s) => s.kind === 'setFlags' && s.rule.name === 'packed');
  const changed = changedFlags(block);
  for (const [name, value] of changed) {
    const leaves = flagLeaves(value);
    const keeps = leaves.includes(name);
    if (!keeps) defines.add(name);
    // What is packed holds all flags, and says nothing of the one.
    if (!(keeps && isPacked) && holdsUndefined(value)) undefines.add(name);
    const others = isPacked ? [] : leaves.filter((leaf) => leaf !== name);
    for (const leaf of others) consumes.add(leaf);
  }
  return {
    consumes,
    defines,
    undefines,
    readsFlags: consumes.size > 0 || changed.some(([, value]) => flagLeaves(value).length > 0),
    writes: new Set(statements.flatMap((s) => (s.kind === 'setRegister' ? [s.register] : []))),
  };
}

const changedFlags = ({ flagsOut }: Block): [Flag, Value][] =>
  flagNames.flatMap((name) => {
    const value = flagsOut[name];
    const isKept = value === undefined || (value.op === 'flag' && value.detail === name);
    return isKept ? [] : [[name, value]];
  });

function addressRegisters(statement: Statement): number[] {
  if (statement.kind === 'store') return leavesOf(statement.address, 'register') as number[];
  if (statement.kind !== 'load') return [];
  return statement.value.args.flatMap((address) => leavesOf(address, 'register') as number[]);
}

const flagLeaves = (value: Value): Flag[] => leavesOf(value, 'flag') as Flag[];
const holdsUndefined = (value: Value): boolean => leavesOf(value, 'undefined').length > 0;

function leavesOf(value: Value, op: Value['op'], seen = new Set<Value>()): Value['detail'][] {
  if (seen.has(value)) return [];
  seen.add(value);
  if (value.op === op) return [value.detail];
  return value.args.flatMap((arg) => leavesOf(arg, op, seen));
}
