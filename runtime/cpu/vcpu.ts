/** A vCPU: registers in the machine's memory, code translated when it is first reached, run until it leaves. */

import { CpuException } from '../errors.ts';
import { type PageFault, pageFaultCode } from '../memory/address-space.ts';
import type { Layout } from '../recompiler/layout.ts';
import { leaveReasons } from '../recompiler/leave-reasons.ts';
import { Recipes } from '../recompiler/recipes.ts';
import type { AheadOfTime } from '../recompiler/store/cache.ts';
import type { KeptTranslation } from '../recompiler/store/kept-translation.ts';
import { type Mode, RSP } from '../x86/registers.ts';
import { vectors } from '../x86/semantics.ts';
import { cpuState } from '../x86/state.ts';
import { accessException } from './access-exception.ts';
import { DebugRegisters } from './debug-registers.ts';
import { readTimestamp } from './environment.ts';
import { AccessFault } from './evaluate-instruction.ts';
import { Evaluator } from './evaluator.ts';
import { ExactSteps } from './exact-steps.ts';
import { exception, operandOf, undefinedText } from './exception-leave.ts';
import type { Answer, Leave } from './leave.ts';
import { Paging } from './paging.ts';
import { reset } from './reset.ts';
import { StandingCalls } from './standing-calls.ts';
import { StateBlock } from './state-block.ts';
import { Supervisor } from './supervisor.ts';
import { Translations } from './translations.ts';
import type { Tier, TranslationSize } from './translations-options.ts';
import type { VcpuOptions } from './vcpu-options.ts';
import { allocateTables } from './vcpu-tables.ts';

/** Instructions that the evaluator does before what follows is translated, whatever it is. */
const mostEvaluated = 1000;
const longestInstruction = 15n;
/** Exits and evaluated instructions, of some microseconds each, that the host's event loop can wait for. */
const mostSlow = 128;

export class Vcpu {
  readonly mode: Mode;
  readonly #state: StateBlock;
  readonly #options: VcpuOptions;
  readonly #layout: Layout;
  readonly #recipes = new Recipes();
  readonly #translations: Translations;
  readonly #evaluator: Evaluator;
  readonly #calls: StandingCalls;
  readonly #steps: ExactSteps;
  readonly paging: Paging | undefined;
  readonly supervisor: Supervisor;
  /** Where the evaluator is to go on, though there is no code; how much it has done since recompiled code left. */
  #evaluatesAt: bigint | undefined;
  #evaluatedHere = 0;
  /** Exits and evaluated instructions since polls were given. */
  #slow = 0;
  #polls = 1;

  constructor(options: VcpuOptions) {
    const { mode, memory, pageTables, run } = options;
    [this.mode, this.#options] = [mode, options];
    this.paging = pageTables && new Paging(memory, pageTables, () => this.register(RSP));
    this.#layout = {
      ...{ mode, pageFlags: options.pageFlags, run: { lo: run.lo, host: run.host } },
      ...(this.paging && { paging: this.paging.layout }),
      ...(options.tables ?? allocateTables(memory)),
    };
    this.#state = new StateBlock(mode, memory, this.#layout.state, this.#recipes);
    this.#state.computeFlags = () => this.#translations.flags();
    const timestamp = (operand: number) => readTimestamp(this, options.environment, operand);
    const debug = new DebugRegisters();
    this.#steps = new ExactSteps({
      ...{ state: this.#state, debug, control: options.environment.control },
      hindrance: () =>
        this.#translations.isLoaded ? (this.#count() ?? this.#noCode()) : this.#needsTools(),
      instruction: () => this.#evaluator.instruction(this.rip),
      execute: () => this.#step(),
    });
    this.#calls = new StandingCalls(
      ...[this.#state, () => this.#translations, timestamp, this.paging, () => this.#steps.isOn],
    );
    this.#translations = new Translations({
      ...{ ...options, layout: this.#layout, recipes: this.#recipes, host: this.#calls },
      runs: this.paging?.runs,
      takeUsedRuns: () => this.paging?.sites.takeUsed() ?? 0,
    });
    pageTables?.watch({
      invalidate: (address) => this.#translations.remapped(address),
      flush: () => this.#translations.remapped(),
    });
    this.#evaluator = new Evaluator({
      ...options,
      addressSpace: this.paging ?? options.addressSpace,
      state: this.#layout.state,
      packedFlags: () => this.#state.packedFlags(),
      decoderAt: (address) => this.#translations.decoderAt(address),
      changing: (address, length) => this.#translations.changing(address, length),
      accessed: this.#steps.accessed,
    });
    this.supervisor = new Supervisor(
      ...([this, debug, this.#state, this.#evaluator, this.#translations] as const),
    );
    reset(this.#state, options);
    this.setPolls(this.#polls);
  }

  /** What, beside the code itself, a kept translation depends on. */
  get layout(): Layout {
    return this.#layout;
  }

  // Translations.

  get tier(): Tier {
    return this.#translations.tier;
  }

  /** Takes kept translations over; false where they do not fit, and nothing has changed. */
  restore(kept: KeptTranslation): boolean {
    return this.#translations.restore(kept);
  }

  /** Makes the image runnable: functions are made when they are called, the rest when the guest turns out to be busy. */
  begin(): Promise<void> {
    return this.#translations.begin();
  }

  whenJoined(tell: () => void): void {
    this.#translations.whenJoined = tell;
  }

  /** Translates all that is known of the image; ahead of time by binaryen, which checks what it writes. */
  translateAll(ahead?: AheadOfTime): Promise<void> {
    return this.#translations.translateAll(ahead);
  }

  /** Everything translated so far, for the cache. */
  keep(): KeptTranslation {
    return this.#translations.keep();
  }

  get liveModules(): number {
    return this.#translations.liveModules;
  }

  get translationSize(): TranslationSize {
    return this.#translations.size;
  }

  get moduleCount(): number {
    return this.#translations.moduleCount;
  }

  /** What `run` asked for by leaving with 'translate': the code at rip, or what the evaluator needs. */
  translate(): Promise<void> {
    return this.rip === this.#evaluatesAt || this.#translations.waitsForTools
      ? this.#translations.load()
      : this.#translations.translateAt(this.rip);
  }

  /** The same at once, where `run`'s caller is asked for it; false where frames must be unwound first. */
  translateNow(): boolean {
    return this.#calls.translate();
  }

  // Registers.

  register(n: number): bigint {
    return this.#state.register(n);
  }

  setRegister(n: number, value: bigint): void {
    this.#state.setRegister(n, value);
  }

  get rip(): bigint {
    return this.#state.word64(cpuState.rip);
  }

  set rip(address: bigint) {
    this.#state.setWord64(cpuState.rip, BigInt.asUintN(this.mode, address));
  }

  get eflags(): bigint {
    return this.#state.eflags;
  }

  set eflags(value: bigint) {
    this.#state.eflags = value;
  }

  readonly guardFloats = (): void => this.#translations.check({ mxcsr: true });

  /** The part of the state block that a thread switch keeps. */
  saveContext(): Uint8Array {
    return this.#state.read(0, cpuState.leaveReason);
  }

  restoreContext(context: Uint8Array): void {
    this.#state.write(0, context);
  }

  /** A part of the state block, for slow paths and tests. */
  readState(offset: number, bytes: number): Uint8Array {
    return this.#state.read(offset, bytes);
  }

  writeState(offset: number, bytes: Uint8Array): void {
    this.#state.write(offset, bytes);
  }

  // Running.

  setPolls(count: number): void {
    this.#slow = 0;
    this.#calls.begin();
    this.#polls = count;
    this.#state.setWord32(cpuState.polls, Math.min(count, 0x7fff_ffff));
  }

  run(answer?: Answer): Leave {
    if (this.#translations.waitsForTools) return { reason: 'translate' };
    this.#calls.by = answer;
    this.#translations.settle();
    for (;;) {
      const leave = this.#steps.isOn ? this.#steps.run() : this.#runTranslated();
      if (leave !== undefined) return leave;
    }
  }

  #runTranslated(): Leave | undefined {
    this.#translations.run();
    return this.#leave(this.#state.word32(cpuState.leaveReason)) ?? this.#count();
  }

  /** What the host must hear; undefined where the vCPU just goes on. */
  #leave(reason: number): Leave | undefined {
    const operand = this.#state.word32(cpuState.leaveOperand);
    switch (reason) {
      case leaveReasons.jump:
        return this.#untranslated();
      case leaveReasons.poll:
        this.#translations.sample(this.rip);
        this.#translations.rewrite(this.paging?.polled());
        return { reason: 'poll' };
      case leaveReasons.hostCall:
        return { reason: 'hostCall', address: this.#state.word64(cpuState.leaveAddress) };
      case leaveReasons.answered:
        return { reason: 'answered' };
      case leaveReasons.hypercall:
        return { reason: 'hypercall', operand };
      case leaveReasons.privileged:
        return this.#executeSystem();
      case leaveReasons.timestamp:
        return readTimestamp(this, this.#options.environment, operand);
      case leaveReasons.exception:
        return this.#exception(operand);
      case leaveReasons.evaluate:
        this.#evaluatedHere = 0;
        this.paging?.left();
        return this.#evaluate();
      default:
        throw new TypeError(`recompiled code left with unknown reason ${reason}`);
    }
  }

  /**
   * Instruction by instruction from rip on, exactly, until an address that has code. Code is never made for an address
   * just because an exit lies before it, unless the evaluator meets it often.
   */
  #evaluate(): Leave | undefined {
    this.#evaluatesAt = this.rip;
    if (!this.#translations.isLoaded) return this.#needsTools();
    let before: bigint;
    do {
      before = this.rip;
      const leave = this.#count() ?? this.#step();
      if (leave !== undefined) return leave;
    } while (this.#goesOnEvaluating(before, this.rip));
    this.#evaluatesAt = undefined;
    this.#translations.rewrite(this.paging?.takeStale());
    return undefined;
  }

  /** Exits and evaluated instructions take time that polls do not tell: so many of them end a slice. */
  #count(): Leave | undefined {
    if (this.#slow++ < mostSlow) return undefined;
    this.#slow = 0;
    return { reason: 'poll', early: true };
  }

  #goesOnEvaluating(before: bigint, rip: bigint): boolean {
    this.#evaluatesAt = rip;
    const translations = this.#translations;
    const jumped = rip <= before || rip > before + longestInstruction;
    return (
      !this.#steps.isOn &&
      !translations.has(rip) &&
      translations.isCode(rip) &&
      !(jumped && translations.wantsCode(rip)) &&
      !this.#evaluator.isHot(rip) &&
      this.#evaluatedHere < mostEvaluated
    );
  }

  /** The instruction at rip; what the host must hear of it. */
  #step(): Leave | undefined {
    this.#evaluatedHere++;
    const polls = this.#state.word32(cpuState.polls) - 1;
    this.#state.setWord32(cpuState.polls, polls);
    if (polls < 0) return { reason: 'poll' };
    this.paging?.begin(this.rip);
    return this.#catching(() => {
      const outcome = this.#evaluator.step(this.rip);
      if (outcome.kind === 'jump') {
        this.rip = outcome.target;
        return undefined;
      }
      this.#state.setWord64(cpuState.leaveAddress, this.rip);
      this.#state.setWord32(cpuState.leaveOperand, operandOf(outcome));
      this.rip = outcome.next;
      return this.#leave(leaveReasons[outcome.reason]);
    });
  }

  /** The instruction at rip, which asks the environment. */
  #executeSystem(): Leave | undefined {
    if (!this.#translations.isLoaded) return this.#needsTools();
    return this.#catching(() => {
      const outcome = this.#evaluator.system(this.rip);
      this.rip = outcome.rip;
      if (outcome.kind === 'halt') return { reason: 'halt' };
      return outcome.kind === 'trap' ? exception(outcome.vector) : undefined;
    });
  }

  /** What the instruction at rip raises is a reason to leave. */
  #catching(execute: () => Leave | undefined): Leave | undefined {
    try {
      return execute();
    } catch (error) {
      if (error instanceof AccessFault) return this.#refused(error.fault);
      if (!(error instanceof CpuException)) throw error;
      const { vector, errorCode, address } = error;
      const detail = vector === vectors.UD ? this.#undefinedText() : undefined;
      return exception(vector, errorCode, address, detail);
    }
  }

  #untranslated(): Leave | undefined {
    const { rip } = this;
    if (rip === this.#evaluatesAt) return this.#evaluate();
    return this.#translations.refill(rip) ? undefined : (this.#noCode() ?? this.#enter(rip));
  }

  #noCode(): Leave | undefined {
    const { rip } = this;
    if (this.#translations.isCode(rip)) return undefined;
    const fault = this.#options.addressSpace.translate(rip, 'execute');
    const { present, execute } = pageFaultCode;
    return accessException(
      typeof fault === 'number' ? { errorCode: present | execute, address: rip } : fault,
      undefined,
      this.register(RSP),
    );
  }

  /** What the instruction at rip may not access. Whether #GP or #SS only the decoder can say. */
  #refused(fault: PageFault): Leave {
    const isKnown = fault.isCanonical !== false;
    if (!isKnown && !this.#translations.isLoaded) return this.#needsTools();
    const decoder = isKnown ? undefined : this.#translations.decoderAt(this.rip);
    return accessException(fault, decoder?.decode(this.rip), this.register(RSP));
  }

  /** The instruction at rip is tried again when what decodes it is loaded. */
  #needsTools(): Leave {
    this.#evaluatesAt = this.rip;
    return { reason: 'translate' };
  }

  /** Inside of a function that cannot be entered there the evaluator goes on. */
  #enter(rip: bigint): Leave | undefined {
    if (this.#translations.wantsCode(rip) || this.#evaluator.isHot(rip))
      return { reason: 'translate' };
    this.#evaluatedHere = 0;
    return this.#evaluate();
  }

  /** A fault can be taken again: where its report needs the translator, that is loaded first. */
  #exception(operand: number): Leave {
    const vector = operand & 0xff;
    if (vector === vectors.UD && !this.#translations.isLoaded) return this.#needsTools();
    const errorCode = operand >> 8;
    const detail = vector === vectors.UD ? this.#undefinedText() : undefined;
    return exception(vector, errorCode === -1 ? undefined : errorCode, undefined, detail);
  }

  #undefinedText(): string | undefined {
    return undefinedText(this.#translations.decoderAt(this.rip), this.rip);
  }
}
