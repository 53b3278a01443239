/** Executes what recompiled code and the evaluator leave as `privileged` (x86/instructions/privileged.ts). */

import { UnsupportedError } from '../errors.ts';
import type { EvaluationState } from '../ir/evaluate.ts';
import type { Instruction } from '../x86/decode.ts';
import { segments } from '../x86/descriptor.ts';
import { namedWidth } from '../x86/instructions/stack.ts';
import { RSP } from '../x86/registers.ts';
import { vectors } from '../x86/semantics.ts';
import type { Environment, TableRegister } from './environment.ts';
import { callFar, farPointer, jumpFar, returnFar, returnFromInterrupt } from './far-transfer.ts';
import { lar, loadSegment, lsl, verr, verw } from './segments.ts';
import { SystemContext } from './system-context.ts';

export type SystemOutcome =
  | { readonly kind: 'next'; readonly rip: bigint }
  /** INT n: a trap; the guest goes on behind it. */
  | { readonly kind: 'trap'; readonly vector: number; readonly rip: bigint }
  | { readonly kind: 'halt'; readonly rip: bigint };

type Effect = (c: SystemContext) => void;
type Action = (c: SystemContext) => SystemOutcome;

const goOn = ({ instruction }: SystemContext): SystemOutcome => ({
  kind: 'next',
  rip: instruction.next,
});

/** What level 3 may not do. */
const emulate: Action = (c) => {
  const answer = c.environment.emulate(c.instruction, c.state);
  if (answer === 'refused') return c.fault(vectors.GP, 0);
  return answer === 'halted' ? { kind: 'halt', rip: c.instruction.next } : goOn(c);
};

const interruptFlag = 0x200n;

/** Needs the I/O privilege level. */
const setInterrupts =
  (value: bigint): Action =>
  (c) => {
    if (c.ioPrivilege < c.privilege) return emulate(c);
    c.changeFlags(value, interruptFlag);
    return goOn(c);
  };

const storeTable =
  (table: (environment: Environment) => TableRegister): Effect =>
  (c) => {
    const [destination] = c.instruction.operands;
    if (destination.kind !== 'memory') throw new TypeError('a table register goes to memory');
    const { base, limit } = table(c.environment);
    // One access: nothing is stored where a part of it would fault.
    c.store(c.address(destination), 2 + c.mode / 8, (base << 16n) | BigInt(limit));
  };

const storeWord =
  (word: (environment: Environment) => number): Effect =>
  (c) =>
    c.writeWord(c.instruction.operands[0], BigInt(word(c.environment)));

/** MOV to a segment register; control and debug registers are the emulation's. */
const move: Action = (c) => {
  const [destination, source] = c.instruction.operands;
  if (destination.kind !== 'special' || destination.file !== 'segment') return emulate(c);
  loadSegment(c, destination.index, c.readSelector(source));
  return goOn(c);
};

const pop: Effect = (c) => {
  const [destination] = c.instruction.operands;
  if (destination.kind !== 'special') throw new TypeError('POP of a plain operand');
  const top = c.state.register(RSP);
  loadSegment(c, destination.index, Number(c.load(top, 2)));
  c.state.setRegister(RSP, c.linear(top + BigInt(namedWidth(c.instruction) / 8)));
};

/** LDS to LSS: the segment is checked before the register changes. */
const loadPointer =
  (segment: number): Effect =>
  (c) => {
    const { offset, selector } = farPointer(c, 1);
    loadSegment(c, segment, selector);
    c.writeRegister(c.instruction.operands[0], offset);
  };

/** #GP names the gate: its vector as an index, and that it is of the IDT (SDM vol. 3, 6.13). */
const interrupt: Action = (c) => {
  const [operand] = c.instruction.operands;
  const vector = operand.kind === 'immediate' ? Number(operand.value) : 0;
  const privilege = c.environment.gatePrivilege(vector);
  if (privilege === undefined || privilege < c.privilege) c.fault(vectors.GP, vector * 8 + 2);
  return { kind: 'trap', vector, rip: c.instruction.next };
};

/** Those that end at the next instruction. */
// biome-ignore format: a table
const effects: Readonly<Record<string, Effect>> = {
  LAR: lar, LSL: lsl, VERR: verr, VERW: verw, POP: pop,
  LDS: loadPointer(segments.ds), LES: loadPointer(segments.es), LFS: loadPointer(segments.fs), LGS: loadPointer(segments.gs), LSS: loadPointer(segments.ss),
  SGDT: storeTable(({ gdt }) => gdt), SIDT: storeTable(({ idt }) => idt),
  SLDT: storeWord(({ ldt }) => ldt), STR: storeWord(({ task }) => task), SMSW: storeWord(({ control }) => control),
};

/** Those that say where the guest goes on. */
// biome-ignore format: a table
const transfers: Readonly<Record<string, (c: SystemContext) => bigint>> = {
  CALL: callFar, JMP: jumpFar, RETF: returnFar,
  IRET: returnFromInterrupt, IRETD: returnFromInterrupt, IRETQ: returnFromInterrupt,
};

// biome-ignore format: a table
const actions: Readonly<Record<string, Action>> = {
  CLI: setInterrupts(0n), STI: setInterrupts(interruptFlag), INT: interrupt, MOV: move,
  CLTS: emulate, HLT: emulate, INVD: emulate, INVLPG: emulate, WBINVD: emulate,
  IN: emulate, INSB: emulate, INSW: emulate, INSD: emulate, OUT: emulate, OUTSB: emulate, OUTSW: emulate, OUTSD: emulate,
  LGDT: emulate, LIDT: emulate, LLDT: emulate, LMSW: emulate, LTR: emulate,
  RDMSR: emulate, RDPMC: emulate, WRMSR: emulate, SWAPGS: emulate, SYSRET: emulate, SYSRETQ: emulate,
};

/** Throws CpuException for what the instruction raises; the state then is as it was. */
export function executeSystemInstruction(
  instruction: Instruction,
  state: EvaluationState,
  environment: Environment,
): SystemOutcome {
  const { mnemonic, code } = instruction;
  const context = new SystemContext(instruction, state, environment);
  const transfer = transfers[mnemonic];
  if (transfer !== undefined) return { kind: 'next', rip: transfer(context) };
  const effect = effects[mnemonic];
  if (effect !== undefined) {
    effect(context);
    return goOn(context);
  }
  const action = actions[mnemonic];
  if (action === undefined) throw new UnsupportedError(`x86: ${code} is no system instruction`);
  return action(context);
}
