/** Runs a whole program on a vCPU over the oracle's regions: discovered, translated, dispatched, polled, as a guest is. */
import { flatEnvironment } from '../../runtime/cpu/flat-environment.ts';
import type { Tier } from '../../runtime/cpu/translations-options.ts';
import { Vcpu } from '../../runtime/cpu/vcpu.ts';
import {
  LinearAddressSpace,
  type LinearRun,
  type ProtectedSpace,
} from '../../runtime/memory/address-space.ts';
import { GuestMemory } from '../../runtime/memory/guest-memory.ts';
import { MachineMemory, pageFlagsOffset } from '../../runtime/memory/machine-memory.ts';
import type { PageTables } from '../../runtime/memory/page-tables.ts';
import { buildDispatcher } from '../../runtime/recompiler/dispatcher.ts';
import { ByteEmitter } from '../../runtime/recompiler/emit/byte-emitter.ts';
import type { Layout } from '../../runtime/recompiler/layout.ts';
import type { Mode } from '../../runtime/x86/registers.ts';
import { cpuState, cpuStateSize } from '../../runtime/x86/state.ts';
import { type CpuState, type MemoryWindow, regions } from './cpu-oracle.ts';
import { recordedState, stateBlock } from './evaluation-state.ts';
import type { Ended } from './lockstep-evaluator.ts';
import { mapPages } from './paged-mapping.ts';

const [codeRegion] = regions;
const lo = codeRegion.address;
const length = 0x3000_4000n - lo;
/** State blocks that fit below the page flags. */
const cpusOfAMemory = 48;
const arithmeticFlags = 0x8d5n;

interface Space {
  readonly addressSpace: ProtectedSpace;
  readonly run: LinearRun;
  readonly pageTables?: PageTables;
}

export interface VcpuProgram {
  readonly code: Uint8Array;
  readonly state: CpuState;
  readonly memory: readonly MemoryWindow[];
  readonly entries: readonly bigint[];
  /** Words of memory that do not change. */
  readonly constants: ReadonlyMap<bigint, bigint>;
  readonly polls: number;
}

/** A vCPU for a few programs, which lie side by side; the memory and the dispatchers are kept for the next one. */
export class VcpuExecutor {
  readonly #mode: Mode;
  readonly #isPaged: boolean;
  readonly #tier: Tier;
  readonly #dispatchers: Uint8Array[] = [];
  #memory = new MachineMemory();
  #space: Space;
  #used = 0;

  /** `isPaged`: behind page tables, each page somewhere in the machine. */
  constructor(mode: Mode, isPaged = false, tier: Tier = 'resumable') {
    this.#mode = mode;
    this.#isPaged = isPaged;
    this.#tier = tier;
    this.#space = this.#newSpace();
  }

  /** How each ended, or what it threw. */
  async run(
    programs: readonly VcpuProgram[],
    exactFloats: boolean,
  ): Promise<(Ended | { readonly thrown: unknown })[]> {
    const region = new Uint8Array(Number(codeRegion.length)).fill(0xcc);
    for (const { code, state } of programs) region.set(code, Number(state.rip - lo));
    const cpu = await this.#newCpu(region, programs, exactFloats);
    const results: (Ended | { readonly thrown: unknown })[] = [];
    for (const program of programs) {
      this.#fill(region, program.memory);
      results.push(await this.#runOne(cpu, program).catch((thrown: unknown) => ({ thrown })));
    }
    return results;
  }

  async #runOne(cpu: Vcpu, { state, memory, polls }: VcpuProgram): Promise<Ended> {
    cpu.restoreContext(contextOf(state, this.#mode));
    const leave = await this.#untilException(cpu, polls);
    const block = cpu.readState(0, cpuStateSize);
    return {
      state: recordedState(block, this.#mode, cpu.rip, cpu.eflags & arithmeticFlags),
      memory: memory.map(({ address, bytes }) => ({
        address,
        bytes: this.#guest.readBytes(address, bytes.length),
      })),
      vector: leave.vector,
      address: leave.address ?? 0n,
    };
  }

  /** At every poll another context runs in between: nothing of this one may be left in Wasm. */
  async #untilException(
    cpu: Vcpu,
    polls: number,
  ): Promise<{ vector: number; address: bigint | undefined }> {
    const noise = new Uint8Array(cpuState.leaveReason).fill(0x5a);
    for (let turns = 0; turns < 100_000; turns++) {
      cpu.setPolls(polls);
      const leave = cpu.run();
      if (leave.reason === 'exception') return leave;
      if (leave.reason === 'translate') await cpu.translate();
      else if (leave.reason !== 'poll') throw new TypeError(`left for ${leave.reason}`);
      const context = cpu.saveContext();
      cpu.restoreContext(noise);
      cpu.restoreContext(context);
    }
    throw new TypeError('the program does not end');
  }

  async #newCpu(
    region: Uint8Array,
    programs: readonly VcpuProgram[],
    exactFloats: boolean,
  ): Promise<Vcpu> {
    const entries = programs.flatMap((program) => program.entries);
    const constants = new Map(programs.flatMap((program) => [...program.constants]));
    if (this.#used === cpusOfAMemory) {
      this.#memory = new MachineMemory();
      this.#space = this.#newSpace();
      this.#used = 0;
    }
    const index = this.#used++;
    const cpu = new Vcpu({
      mode: this.#mode,
      tier: this.#tier,
      memory: this.#memory,
      ...this.#space,
      code: [{ address: lo, bytes: region }],
      entries,
      readConstant: (address) => constants.get(address),
      pageFlags: pageFlagsOffset,
      environment: flatEnvironment(this.#mode, () => 0n),
    });
    const dispatcher = this.#dispatchers[index] ?? this.#dispatcher(cpu.layout);
    this.#dispatchers[index] = dispatcher;
    cpu.restore({
      dispatcher,
      flags: undefined,
      modules: [],
      recipes: [],
      exactFloats,
      isWhole: true,
    });
    if (entries.length > 0) await cpu.translateAll();
    return cpu;
  }

  #dispatcher(layout: Layout): Uint8Array {
    return buildDispatcher(new ByteEmitter(this.#memory.maximumPages), layout);
  }

  #newSpace(): Space {
    if (this.#isPaged) {
      const ranges = regions.map(({ address, length: size }) => ({ lo: address, length: size }));
      const run = { lo: 0n, length: 0n, host: 0 };
      return { ...mapPages(this.#memory, this.#mode, ranges, 'scattered'), run };
    }
    const run = { lo, length, host: this.#memory.allocate(Number(length)) };
    const space = new LinearAddressSpace(this.#memory, run);
    space.allowExecution(lo, codeRegion.length);
    regions.slice(0, -1).forEach((region, i) => {
      const end = region.address + region.length;
      space.unmap(end, (regions[i + 1]?.address ?? end) - end);
    });
    return { addressSpace: space, run };
  }

  get #guest(): GuestMemory {
    return new GuestMemory(this.#memory, this.#space.addressSpace);
  }

  #fill(region: Uint8Array, memory: readonly MemoryWindow[]): void {
    const guest = this.#guest;
    for (const { address, length: size } of regions) guest.fill(address, Number(size), 0);
    guest.writeBytes(lo, region);
    for (const { address, bytes } of memory) guest.writeBytes(address, bytes);
  }
}

/** A thread's context as a vCPU keeps it, with the flags as plain EFLAGS. */
function contextOf(state: CpuState, mode: Mode): Uint8Array {
  const block = stateBlock(state, mode);
  const view = new DataView(block.buffer);
  view.setUint32(cpuState.flagRecipe, 0, true);
  view.setUint32(cpuState.flagInput0, Number(state.rflags & arithmeticFlags), true);
  return block.slice(0, cpuState.leaveReason);
}
