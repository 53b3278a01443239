/**
 * What must be looked at around each single instruction: EFLAGS.TF, breakpoints and alignment (SDM vol. 3, 18.2, 18.3 and 6.15,
 * #AC). Recompiled code knows nothing of them; while one of them is on, the evaluator alone executes the guest.
 */
import { CpuException } from '../errors.ts';
import type { Instruction } from '../x86/decode.ts';
import { requested, segments } from '../x86/descriptor.ts';
import { vectors } from '../x86/semantics.ts';
import { cpuState } from '../x86/state.ts';
import type { DebugRegisters } from './debug-registers.ts';
import { singleStep } from './debug-registers.ts';
import type { Leave } from './leave.ts';
import type { StateBlock } from './state-block.ts';

const trapFlag = 0x100;
const resumeFlag = 0x1_0000;
const alignmentFlag = 0x4_0000;
/** CR0.AM. */
export const alignmentMask = 1 << 18;
const userLevel = 3;

export interface ExactStepsParts {
  readonly state: StateBlock;
  readonly debug: DebugRegisters;
  /** CR0, of which the guest cannot change AM. */
  readonly control: number;
  /** Why rip cannot be gone on from. */
  readonly hindrance: () => Leave | undefined;
  /** The instruction at rip. */
  readonly instruction: () => Instruction;
  /** Executes it; what the host must hear of it. */
  readonly execute: () => Leave | undefined;
}

export class ExactSteps {
  readonly #parts: ExactStepsParts;
  readonly #checksAlignment: boolean;
  /** Of the instruction at hand: whether its accesses must be aligned, and what of DR6 they asked for. */
  #aligns = false;
  #watches = false;
  #reasons = 0n;
  /** Behind SYSCALL and HLT, which the host answers, a trap is due at this address. */
  #dueAt: bigint | undefined;

  constructor(parts: ExactStepsParts) {
    this.#parts = parts;
    this.#checksAlignment = (parts.control & alignmentMask) !== 0;
  }

  /** Whether each instruction must be looked at. */
  get isOn(): boolean {
    const flags = this.#flags;
    if ((flags & (trapFlag | alignmentFlag)) === 0) return this.#parts.debug.isArmed;
    return (flags & trapFlag) !== 0 || this.#isAligning(flags) || this.#parts.debug.isArmed;
  }

  get #flags(): number {
    return this.#parts.state.word32(cpuState.otherFlags);
  }

  get #rip(): bigint {
    return this.#parts.state.word64(cpuState.rip);
  }

  #isAligning(flags: number): boolean {
    if (!this.#checksAlignment || (flags & alignmentFlag) === 0) return false;
    const [code = 0] = this.#parts.state.read(cpuState.selectors + 2 * segments.cs, 1);
    return requested(code) === userLevel;
  }

  /** Every access of the evaluator's comes here, once it is known not to fault otherwise. */
  readonly accessed = (address: bigint, bytes: number, writes: boolean): void => {
    if (this.#aligns && !isAligned(address, bytes))
      throw new CpuException(vectors.AC, `a misaligned access at 0x${address.toString(16)}`, 0);
    if (this.#watches) this.#reasons |= this.#parts.debug.atAccess(address, bytes, writes);
  };

  /** One instruction after the other, until the host must hear of something, or none need be looked at. */
  run(): Leave | undefined {
    while (this.isOn) {
      const leave = this.#parts.hindrance() ?? this.#step();
      if (leave !== undefined) return leave;
    }
    return undefined;
  }

  /** The next instruction, with the exceptions before and behind it. */
  #step(): Leave | undefined {
    const { debug, execute } = this.#parts;
    const [before, flags] = [this.#rip, this.#flags];
    const isTraced = (flags & trapFlag) !== 0;
    const isDue = isTraced && this.#dueAt === before;
    this.#dueAt = undefined;
    if (isDue) return this.#trap(singleStep);
    const met = (flags & resumeFlag) === 0 ? debug.atInstruction(before) : 0n;
    if (met !== 0n) return this.#trap(met);
    const { mnemonic, repeat, operands } = this.#parts.instruction();
    const loadsStack = /^(MOV|POP)$/.test(mnemonic) && isStackSegment(operands[0]);
    [this.#aligns, this.#watches, this.#reasons] = [this.#isAligning(flags), debug.isArmed, 0n];
    let leave: Leave | undefined;
    try {
      leave = execute();
    } finally {
      [this.#aligns, this.#watches] = [false, false];
    }
    if (leave !== undefined) {
      const isHosts = leave.reason === 'hypercall' || leave.reason === 'halt';
      // INT n goes through a gate, which clears TF; what comes back from there sets it for the instruction behind.
      if (isTraced && isHosts && mnemonic !== 'INT') this.#dueAt = this.#rip;
      return leave;
    }
    this.#setResume(mnemonic, repeat !== undefined && this.#rip === before);
    // A debugger must not come between the halves of a new stack (SDM vol. 3, 6.8.3).
    const reasons = this.#reasons | (isTraced ? singleStep : 0n);
    return reasons === 0n || loadsStack ? undefined : this.#trap(reasons);
  }

  /**
   * In the midst of a repeated string instruction RF is set, so that it goes on before its breakpoint is met again. What IRET
   * sets is for the next instruction.
   */
  #setResume(mnemonic: string, isSet: boolean): void {
    if (mnemonic.startsWith('IRET')) return;
    const flags = this.#flags;
    const wanted = isSet ? flags | resumeFlag : flags & ~resumeFlag;
    if (wanted !== flags) this.#parts.state.setWord32(cpuState.otherFlags, wanted);
  }

  #trap(reasons: bigint): Leave {
    this.#parts.debug.tell(reasons);
    const nothing = { errorCode: undefined, address: undefined, detail: undefined };
    return { reason: 'exception', vector: vectors.DB, ...nothing, isDebug: true };
  }
}

const isStackSegment = (operand: Instruction['operands'][0]): boolean =>
  operand.kind === 'special' && operand.file === 'segment' && operand.index === segments.ss;

/**
 * SDM vol. 3, table 6-7. 16 bytes are checked by the instructions that want them aligned, and of the others it depends on the
 * processor whether they are.
 */
function isAligned(address: bigint, bytes: number): boolean {
  const boundary = bytes === 10 ? 8 : bytes === 6 ? 4 : bytes;
  return ![2, 4, 8].includes(boundary) || Number(address & 7n) % boundary === 0;
}
