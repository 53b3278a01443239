/** The recompiler as an executor of recorded instructions: decode, semantics, passes, Wasm, run. */

import { blockOf, GuestState } from '../../runtime/cpu/evaluate-instruction.ts';
import { CpuException } from '../../runtime/errors.ts';
import { flagBits } from '../../runtime/ir/builder.ts';
import { evaluateFlagRule } from '../../runtime/ir/evaluate.ts';
import { flagNames } from '../../runtime/ir/ops.ts';
import type { Access, PageFault } from '../../runtime/memory/address-space.ts';
import { BinaryenEmitter, loadBinaryen } from '../../runtime/recompiler/binaryen-emitter.ts';
import { ByteEmitter } from '../../runtime/recompiler/byte-emitter.ts';
import { CodeStore } from '../../runtime/recompiler/code-store.ts';
import { buildDispatcher } from '../../runtime/recompiler/dispatcher.ts';
import type { Emitter } from '../../runtime/recompiler/emitter.ts';
import { codeMapBytes, type Layout } from '../../runtime/recompiler/layout.ts';
import { leaveReasons } from '../../runtime/recompiler/leave-reasons.ts';
import { Recipes } from '../../runtime/recompiler/recipes.ts';
import { Translator } from '../../runtime/recompiler/translator.ts';
import { Decoder } from '../../runtime/x86/decode.ts';
import type { Mode } from '../../runtime/x86/registers.ts';
import { cpuState, cpuStateSize } from '../../runtime/x86/state.ts';
import { type CpuState, type Exception, type MemoryWindow, regions } from './cpu-oracle.ts';
import { recordedState, stateBlock } from './evaluation-state.ts';
import type { Executed } from './replay.ts';

const stateOffset = 0x1000;
const pageFlagsOffset = 0x1_0000;
const codeMapOffset = 0x11_0000;
const runOffset = codeMapOffset + codeMapBytes;
const runStart = 0x1000_0000n;
const runLength = 0x3000_4000n - runStart;
const pages = Math.ceil((runOffset + Number(runLength)) / 65536);
const int3 = 0xcc;

/** Makes the emitter of one module, given the pages of the memory that it imports. */
export type Emitters = (pages: number) => Emitter;

export const byteEmitters: Emitters = (maximum) => new ByteEmitter(maximum);

export async function binaryenEmitters(): Promise<Emitters> {
  const binaryen = await loadBinaryen();
  return (maximum) => new BinaryenEmitter(binaryen, maximum);
}

/** One vCPU over the oracle's regions; it is filled anew for every case, and code translated when the bytes are new. */
export class WasmExecutor {
  readonly #mode: Mode;
  readonly #emitters: Emitters;
  readonly #memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  readonly #layout: Layout;
  readonly #recipes = new Recipes();
  #store: CodeStore;
  #translated = '';
  #count = 0;

  constructor(mode: Mode, emitters: Emitters = byteEmitters) {
    this.#mode = mode;
    this.#emitters = emitters;
    this.#layout = {
      mode,
      state: stateOffset,
      pageFlags: pageFlagsOffset,
      run: { lo: runStart, host: runOffset },
      codeMap: codeMapOffset,
    };
    this.#store = this.#newStore();
    this.#protectGaps();
  }

  /** `steps` instructions are no limit here: the code runs until it meets int3 or faults. */
  execute(code: Uint8Array, state: CpuState, memory: readonly MemoryWindow[]): Executed {
    this.#translate(code, state.rip);
    this.#load(state, code, memory);
    const ended = this.#run(code);
    const block = new Uint8Array(this.#memory.buffer).slice(
      stateOffset,
      stateOffset + cpuStateSize,
    );
    return {
      state: recordedState(block, this.#mode, ended.rip, BigInt(this.#packedFlags())),
      memory: memory.map(({ address, bytes }) => ({
        address,
        bytes: this.#bytes(address, bytes.length).slice(),
      })),
      exception: ended.exception,
      undefinedFlags: 0n,
    };
  }

  /** Runs to the end; what leaves to the evaluator is done by it, and may be the end, too. */
  #run(code: Uint8Array): { rip: bigint; exception?: Exception } {
    const view = new DataView(this.#memory.buffer, stateOffset, cpuStateSize);
    for (;;) {
      this.#store.run();
      const rip = view.getBigUint64(cpuState.rip, true);
      if (view.getUint32(cpuState.leaveReason, true) !== leaveReasons.evaluate)
        return this.#ending(view, rip);
      const exception = this.#evaluate(code, view, rip);
      const after = view.getBigUint64(cpuState.rip, true);
      if (exception !== undefined) return { rip: after, exception };
      if (after === this.#start + BigInt(code.length)) return { rip: after };
    }
  }

  #evaluate(code: Uint8Array, view: DataView, rip: bigint): Exception | undefined {
    const decoder = new Decoder(this.#mode, this.#start, code);
    const block = blockOf(this.#mode, decoder.decode(rip));
    decoder.free();
    const guest = new GuestState({
      mode: this.#mode,
      memory: {
        view: () => new DataView(this.#memory.buffer),
        bytes: () => new Uint8Array(this.#memory.buffer),
        willWrite: () => {},
      },
      addressSpace: { translate: (address, access) => place(address, access) },
      state: stateOffset,
      flags: this.#packedFlags(),
    });
    try {
      const outcome = guest.run(block);
      view.setBigUint64(
        cpuState.rip,
        outcome.kind === 'leave' ? outcome.next : outcome.target,
        true,
      );
      if (outcome.kind === 'jump') return undefined;
      if (outcome.reason !== 'exception') throw new TypeError(`left for ${outcome.reason}`);
      return { vector: outcome.operand, errorCode: 0, address: 0n };
    } catch (error) {
      if (!(error instanceof CpuException)) throw error;
      const { vector, errorCode, address } = error;
      return { vector, errorCode: errorCode ?? 0, address: address ?? 0n };
    }
  }

  /** int3 behind the instruction is the end; a vector's own int3 ends one byte earlier. */
  #ending(view: DataView, rip: bigint): { rip: bigint; exception?: Exception } {
    const reason = view.getUint32(cpuState.leaveReason, true);
    const operand = view.getInt32(cpuState.leaveOperand, true);
    const address = view.getBigUint64(cpuState.leaveAddress, true);
    if (reason === leaveReasons.jump) return { rip };
    if (reason === leaveReasons.exception) {
      const vector = operand & 0xff;
      const isEnd = vector === 3 && address !== this.#start;
      if (isEnd) return { rip: rip - 1n };
      return { rip, exception: { vector, errorCode: Math.max(operand >> 8, 0), address: 0n } };
    }
    throw new TypeError(`left for reason ${reason}`);
  }

  #start = 0n;

  #translate(code: Uint8Array, rip: bigint): void {
    const key = `${rip} ${code.join(' ')}`;
    this.#start = rip;
    if (key === this.#translated) return;
    if (++this.#count % 4000 === 0) this.#store = this.#newStore();
    const region = regions.find(({ address }) => address === 0x1000_0000n) ?? regions[0];
    if (region === undefined) throw new TypeError('the oracle has no code region');
    const bytes = new Uint8Array(Number(region.length)).fill(int3);
    bytes.set(code, Number(rip - region.address));
    const translator = new Translator({
      layout: this.#layout,
      recipes: this.#recipes,
      code: [{ address: region.address, bytes }],
      entries: [],
      readConstant: () => undefined,
    });
    const functions = translator.gather([rip], () => false);
    const translation = translator.translate(this.#emitter(), functions);
    translator.free();
    this.#store.install(translation.bytes, translation.functions);
    this.#translated = key;
  }

  #newStore(): CodeStore {
    const store = new CodeStore(this.#layout, this.#memory, () => this.#packedFlags());
    store.installDispatcher(buildDispatcher(this.#emitter(), this.#layout));
    this.#translated = '';
    return store;
  }

  #emitter(): Emitter {
    return this.#emitters(pages);
  }

  #load(state: CpuState, code: Uint8Array, memory: readonly MemoryWindow[]): void {
    for (const region of regions) {
      const isCode = region.address === 0x1000_0000n;
      this.#bytes(region.address, Number(region.length)).fill(isCode ? int3 : 0);
    }
    this.#bytes(state.rip, code.length).set(code);
    for (const { address, bytes } of memory) this.#bytes(address, bytes.length).set(bytes);
    const block = stateBlock(state, this.#mode);
    new Uint8Array(this.#memory.buffer).set(block, stateOffset);
    const view = new DataView(this.#memory.buffer, stateOffset, cpuStateSize);
    view.setUint32(cpuState.flagRecipe, 0, true);
    view.setUint32(cpuState.flagInput0, Number(state.rflags & 0x8d5n), true);
    view.setInt32(cpuState.polls, 1_000_000, true);
    for (let i = 0; i <= 4; i++)
      view.setBigInt64(cpuState.runLimits + 8 * i, runLength - BigInt(2 ** i), true);
  }

  #bytes(address: bigint, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, runOffset + Number(address - runStart), length);
  }

  /** Between the regions stores fault; loads do not, since only the run's ends bound them. */
  #protectGaps(): void {
    const flags = new Uint8Array(
      this.#memory.buffer,
      pageFlagsOffset + runOffset / 4096,
      Number(runLength) / 4096,
    );
    flags.fill(1);
    for (const { address, length } of regions) {
      const first = Number(address - runStart) / 4096;
      flags.fill(0, first, first + Number(length) / 4096);
    }
  }

  #packedFlags(): number {
    const view = new DataView(this.#memory.buffer, stateOffset, cpuStateSize);
    const recipe = this.#recipes.recipe(view.getUint32(cpuState.flagRecipe, true));
    if (recipe === undefined) return view.getUint32(cpuState.flagInput0, true);
    const inputs = recipe.widths.map((width, i) => ({
      width,
      value: BigInt.asUintN(width, view.getBigUint64(cpuState.flagInput0 + 8 * i, true)),
    }));
    const flags = evaluateFlagRule(recipe.rule, inputs);
    return flagNames.reduce(
      (packed, name) => packed | (flags[name] === true ? 1 << flagBits[name] : 0),
      0,
    );
  }
}

/** Host offset of a byte of the regions; outside of them user code faults on what is not present. */
function place(address: bigint, access: Access): number | PageFault {
  const isMapped = regions.some((r) => address >= r.address && address < r.address + r.length);
  if (isMapped) return runOffset + Number(address - runStart);
  return { errorCode: access === 'write' ? 6 : 4, address };
}
