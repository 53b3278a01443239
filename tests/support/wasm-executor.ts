/** The recompiler as an executor of recorded instructions: decode, semantics, passes, Wasm, run. */

import { flagBits } from '../../runtime/ir/builder.ts';
import { evaluateFlagRule } from '../../runtime/ir/evaluate.ts';
import { flagNames } from '../../runtime/ir/ops.ts';
import { pageFlags } from '../../runtime/memory/machine-memory.ts';
import { buildDispatcher } from '../../runtime/recompiler/dispatcher.ts';
import { BinaryenEmitter, loadBinaryen } from '../../runtime/recompiler/emit/binaryen-emitter.ts';
import { ByteEmitter } from '../../runtime/recompiler/emit/byte-emitter.ts';
import type { Emitter } from '../../runtime/recompiler/emit/emitter.ts';
import { codeMapBytes, type Layout } from '../../runtime/recompiler/layout.ts';
import { leaveReasons } from '../../runtime/recompiler/leave-reasons.ts';
import type { Form } from '../../runtime/recompiler/lower/lower-function.ts';
import { Recipes } from '../../runtime/recompiler/recipes.ts';
import { CodeStore } from '../../runtime/recompiler/store/code-store.ts';
import { Translator } from '../../runtime/recompiler/translator.ts';
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

/** Code of one instruction, and where it lies. */
export interface Placed {
  readonly rip: bigint;
  readonly bytes: Uint8Array;
}

export interface WasmOptions {
  readonly emitters?: Emitters;
  /** Floats keep MXCSR's sticky flags and obey its rounding. */
  readonly exactFloats?: boolean;
  /** A function that cannot have the fast form gets the other. */
  readonly form?: Form;
}

/** What Wasm did. */
export interface WasmExecuted extends Executed {
  /** It asks for the evaluator, which goes on from this state. */
  readonly left: boolean;
}

/** More than any instruction takes. */
const manyPolls = 1_000_000;

const codeRegion = regions[0];

/** One vCPU over the oracle's regions, filled anew for every case. Many instructions, each in a place of its own, are one module. */
export class WasmExecutor {
  readonly #mode: Mode;
  readonly #options: WasmOptions;
  readonly #memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  readonly #layout: Layout;
  readonly #dispatcher: Uint8Array;
  #recipes = new Recipes();
  #store: CodeStore;
  #loaded: readonly Placed[] = [];

  constructor(mode: Mode, options: WasmOptions = {}) {
    this.#mode = mode;
    this.#options = options;
    this.#layout = {
      mode,
      state: stateOffset,
      pageFlags: pageFlagsOffset,
      run: { lo: runStart, host: runOffset },
      codeMap: codeMapOffset,
    };
    this.#dispatcher = buildDispatcher(this.#emitter(), this.#layout);
    this.#store = this.#newStore();
    this.#protectGaps();
  }

  /** One instruction by itself. */
  execute(code: Uint8Array, state: CpuState, memory: readonly MemoryWindow[]): WasmExecuted {
    const [loaded] = this.#loaded;
    const isSame =
      this.#loaded.length === 1 &&
      loaded?.rip === state.rip &&
      Buffer.compare(loaded.bytes, code) === 0;
    if (!isSame) this.load([{ rip: state.rip, bytes: code }]);
    return this.run(state, memory);
  }

  /** Makes a module of some instructions, whose places must not touch; it takes the place of the one before. */
  load(placed: readonly Placed[]): void {
    const bytes = new Uint8Array(Number(codeRegion.length)).fill(int3);
    for (const { rip, bytes: code } of placed) bytes.set(code, Number(rip - codeRegion.address));
    this.#recipes = new Recipes();
    this.#store = this.#newStore();
    const translator = new Translator({
      layout: this.#layout,
      recipes: this.#recipes,
      code: [{ address: codeRegion.address, bytes }],
      entries: [],
      readConstant: () => undefined,
    });
    translator.exactFloats = this.#options.exactFloats ?? false;
    const entries = placed.map(({ rip }) => rip);
    const functions = translator.gather(entries, () => false);
    const translation = translator.translate(this.#emitter(), functions, this.#options.form);
    translator.free();
    this.#store.install(translation.bytes, translation.functions);
    this.#loaded = placed;
    this.#bytes(codeRegion.address, bytes.length).set(bytes);
  }

  /** Runs what is loaded at the state's rip until it meets int3 or leaves. */
  run(state: CpuState, memory: readonly MemoryWindow[]): WasmExecuted {
    this.#fill(state, memory);
    this.#store.run();
    const view = new DataView(this.#memory.buffer, stateOffset, cpuStateSize);
    const ended = this.#ending(view, state.rip);
    const block = new Uint8Array(this.#memory.buffer, stateOffset, cpuStateSize);
    return {
      state: recordedState(block, this.#mode, ended.rip, BigInt(this.#packedFlags())),
      memory: memory.map(({ address, bytes }) => ({
        address,
        bytes: this.#bytes(address, bytes.length).slice(),
      })),
      exception: ended.exception,
      left: ended.left,
      undefinedFlags: 0n,
    };
  }

  /** int3 behind the instruction is the end; a vector's own int3 is an exception. */
  #ending(view: DataView, start: bigint): { rip: bigint; exception?: Exception; left: boolean } {
    const rip = view.getBigUint64(cpuState.rip, true);
    const reason = view.getUint32(cpuState.leaveReason, true);
    const operand = view.getInt32(cpuState.leaveOperand, true);
    const address = view.getBigUint64(cpuState.leaveAddress, true);
    switch (reason) {
      case leaveReasons.jump:
        return { rip, left: false };
      case leaveReasons.evaluate:
        return { rip, left: true };
      case leaveReasons.exception: {
        const vector = operand & 0xff;
        if (vector === 3 && address !== start) return { rip: rip - 1n, left: false };
        const errorCode = Math.max(operand >> 8, 0);
        return { rip, exception: { vector, errorCode, address: 0n }, left: false };
      }
      default:
        throw new TypeError(`left for reason ${reason}`);
    }
  }

  #newStore(): CodeStore {
    const none = (): number => 0;
    const others = { answer: none, find: none, refill: none, more: none };
    const host = { flags: () => this.#packedFlags(), ...others };
    const store = new CodeStore(this.#layout, this.#memory, host);
    store.installDispatcher(this.#dispatcher);
    return store;
  }

  #emitter(): Emitter {
    return (this.#options.emitters ?? byteEmitters)(pages);
  }

  #fill(state: CpuState, memory: readonly MemoryWindow[]): void {
    for (const region of regions.slice(1))
      this.#bytes(region.address, Number(region.length)).fill(0);
    for (const { address, bytes } of memory) this.#bytes(address, bytes.length).set(bytes);
    const block = stateBlock(state, this.#mode);
    new Uint8Array(this.#memory.buffer).set(block, stateOffset);
    const view = new DataView(this.#memory.buffer, stateOffset, cpuStateSize);
    view.setUint32(cpuState.flagRecipe, 0, true);
    view.setUint32(cpuState.flagInput0, Number(state.rflags & 0x8d5n), true);
    view.setInt32(cpuState.polls, manyPolls, true);
    for (let i = 0; i <= 4; i++)
      view.setBigInt64(cpuState.runLimits + 8 * i, runLength - BigInt(2 ** i), true);
    for (let i = 0; i < 32; i++)
      view.setBigInt64(cpuState.runSpans + 8 * i, runLength - BigInt(8 * (i + 1)), true);
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
      const end = first + Number(length) / 4096;
      flags.fill(0, first, end);
      flags[end - 1] = pageFlags.next;
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
