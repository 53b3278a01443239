/** Puts a PV domain together: its frames and page tables, its vCPU, and Xen around it. */
import { faultReporter } from '../cpu/fault-report.ts';
import type { Tier } from '../cpu/translations-options.ts';
import { Vcpu } from '../cpu/vcpu.ts';
import { allocateTables } from '../cpu/vcpu-tables.ts';
import type { Clock } from '../domain/clock.ts';
import type { Signal } from '../domain/signal.ts';
import type { SymbolTable } from '../elf/symbols.ts';
import { GuestMemory } from '../memory/guest-memory.ts';
import { pageFlagsOffset } from '../memory/machine-memory.ts';
import { PageTables } from '../memory/page-tables.ts';
import type { Trace } from '../trace.ts';
import { RAX, RSP } from '../x86/registers.ts';
import { pageWalk } from './crash-scene.ts';
import type { DomainContext } from './domain-context.ts';
import type { DomainSource, LaidDomain } from './domain-source.ts';
import type { FrameTable } from './frames.ts';
import { guestCode } from './guest-code.ts';
import { GuestSpace } from './guest-space.ts';
import type { HypercallHandlers } from './hypercalls/hypercall.ts';
import { HypercallTable } from './hypercalls/hypercall-table.ts';
import { memoryOp } from './memory/memory-op.ts';
import { grantMapper } from './mmu/grant-mapper.ts';
import { Mmu } from './mmu/mmu.ts';
import { mmuHandlers } from './mmu/mmu-calls.ts';
import { PageTypes } from './mmu/page-types.ts';
import type { XenMappings } from './mmu/xen-mappings.ts';
import { PvCpu } from './pv-cpu.ts';
import { pvEnvironment } from './pv-environment.ts';
import { PvKernel, type PvKernelParts } from './pv-kernel.ts';
import { RequestAllowance } from './request-allowance.ts';
import { saveDomain } from './save/save-domain.ts';
import { Suspension } from './suspension.ts';
import { trapHandlers } from './traps/trap-calls.ts';
import { VirtualCpu } from './virtual-cpu.ts';
import type { DomainHooks } from './xen-world.ts';

export interface PvDomainOptions {
  readonly id: number;
  readonly name: string;
  readonly commandLine: string;
  readonly clock: Clock;
  readonly changed: Signal;
  readonly log: (line: string) => void;
  readonly tier?: Tier | undefined;
  readonly trace?: Trace | undefined;
  /** What RDTSC reads. */
  readonly timestamp: () => bigint;
}

/** What Xen's tools let a domain have beside what they give it: 1 MiB. */
const slackPages = 256;

/** What of Xen is not the vCPU's and the page tables'. */
export interface OtherParts {
  readonly handlers: HypercallHandlers;
  readonly timers: PvKernelParts['timers'];
  /** Whether there is a domain of a number. */
  readonly isThere: (domid: number) => boolean;
  readonly accounts?: PvKernelParts['accounts'];
  readonly tellHost: PvKernelParts['tellHost'];
}

export class PvDomain {
  readonly laid: LaidDomain;
  readonly cpu: Vcpu;
  readonly context: DomainContext;
  readonly #pv: PvCpu;
  readonly #mmu: Mmu;
  readonly #options: PvDomainOptions;
  readonly #source: DomainSource;

  constructor(
    source: DomainSource,
    frames: FrameTable,
    xen: XenMappings,
    options: PvDomainOptions,
  ) {
    const { memory } = frames;
    const { width } = source;
    this.#source = source;
    this.#options = options;
    const vcpuTables = allocateTables(memory);
    this.laid = source.lay(frames);
    const tables = pageTables(frames, width, this.laid.root);
    const guest = new GuestMemory(memory, new GuestSpace(tables, width));
    const environment = pvEnvironment(width, {
      frames,
      timestamp: options.timestamp,
      guest: () => guest,
      pv: () => this.#pv,
      mmu: () => this.#mmu,
    });
    const segments = source.image?.segments ?? [];
    this.cpu = new Vcpu({
      ...{ mode: width, memory, addressSpace: tables, pageTables: tables, environment },
      run: { lo: 0n, length: 0n, host: 0 },
      code: guestCode(memory, tables, width),
      entries: entriesOf(source),
      readConstant: (address, bits) => {
        const inImage = segments.some(
          (s) =>
            (!s.writable || s.executable) &&
            address >= s.address &&
            address + BigInt(bits / 8) <= s.address + s.memorySize,
        );
        return inImage ? guest.readWord(address, bits) : undefined;
      },
      pageFlags: pageFlagsOffset,
      tables: vcpuTables,
      ...{ tier: options.tier, madeWhenCalled: true },
    });
    this.#pv = new PvCpu(this.cpu);
    const types = new PageTypes({ frames, domain: options.id, width, xen });
    this.#mmu = new Mmu({ types, tables, pv: this.#pv });
    const sharedInfo = frames.hostOf(this.laid.sharedInfo) ?? 0;
    this.context = {
      ...{ id: options.id, name: options.name, width, memory, frames, guest, sharedInfo },
      ...{ cpu: this.cpu, clock: options.clock, changed: options.changed, log: options.log },
      vcpu: new VirtualCpu(memory, width, sharedInfo),
      requests: new RequestAllowance(),
      suspension: new Suspension(),
    };
    this.#start();
  }

  /** Machine frame of the page table that it runs with. */
  get root(): number {
    return this.#mmu.tables.root;
  }

  /** What other parts of Xen ask of it. */
  get hooks(): DomainHooks {
    return {
      mapper: grantMapper(this.#mmu),
      setIopl: (level) => {
        this.#pv.ioPrivilege = level;
      },
      sendNmi: () => {
        this.#pv.nmi.isPending = true;
      },
    };
  }

  /** Xen, complete. */
  kernel({ handlers, timers, accounts, isThere, tellHost }: OtherParts): PvKernel {
    const { context } = this;
    const pv = this.#pv;
    const mmu = this.#mmu;
    const toggleMode = (): void => this.#toggleMode();
    const own: HypercallHandlers = {
      ...mmuHandlers(mmu, pv, isThere),
      memory_op: memoryOp({
        ...{ mmu, pages: this.laid.pages, isThere },
        mostPages: this.laid.pages + slackPages,
      }),
      ...trapHandlers({
        ...{ pv, mmu, toggleMode },
        crash: (why) => kernel.crash(why),
        raise: (vector, errorCode) => kernel.raise(vector, errorCode),
      }),
    };
    const { image } = this.#source;
    const scene = {
      ...{ domain: context.name, cpu: this.cpu, memory: context.guest },
      walk: (address: bigint) => pageWalk(mmu, address),
    };
    const kernel: PvKernel = new PvKernel({
      ...{ domain: context, pv, mmu, toggleMode, timers, tellHost },
      hypercalls: new HypercallTable(context, { ...own, ...handlers }, this.#options.trace),
      reporter: faultReporter({
        ...scene,
        segments: image?.segments ?? [],
        symbols: image?.symbols ?? noSymbols,
      }),
      ...(accounts !== undefined && { accounts }),
    });
    return kernel;
  }

  /** Suspended and not yet gone: piece by piece what `fromSaved` makes a domain of. */
  save(now: bigint): Iterable<Uint8Array> {
    const { id, name, commandLine } = this.#options;
    const { sharedInfo } = this.laid;
    const table = this.#mmu.frames;
    const { pv, mmu } = { pv: this.#pv, mmu: this.#mmu };
    return saveDomain({ id, name, commandLine, table, sharedInfo, pv, mmu, now });
  }

  /** Suspended, it goes on where it is: its call returns 1. */
  resume(): void {
    const { vcpu, changed, suspension } = this.context;
    [vcpu.shutdown, vcpu.shutdownCode] = [undefined, undefined];
    this.cpu.setRegister(RAX, 1n);
    suspension.release();
    changed.raise();
  }

  #start(): void {
    this.laid.begin(this.#mmu, this.#pv);
    const { cpu } = this;
    cpu.paging?.runs.learn(cpu.rip);
    cpu.paging?.runs.learn(cpu.register(RSP) - 1n);
  }

  /** Between a guest's kernel and its programs: of 64-bit ones page tables and GS.base, of 32-bit ones rights. */
  #toggleMode(): void {
    const pv = this.#pv;
    const { tables } = this.#mmu;
    if (pv.width === 32) {
      tables.isUser = !tables.isUser;
      return;
    }
    pv.isKernel = !pv.isKernel;
    [pv.gsBase, pv.otherGsBase] = [pv.otherGsBase, pv.gsBase];
    tables.root = pv.isKernel ? pv.roots.kernel : pv.roots.user;
    tables.flush();
  }
}

function pageTables(frames: FrameTable, width: 64 | 32, root: number): PageTables {
  const tables = new PageTables({
    ...{ memory: frames.memory, frames, root, isInLongMode: true },
    levels: width === 64 ? 4 : 3,
  });
  // A 64-bit kernel runs in ring 3; ring 1 is a supervisor's.
  tables.isUser = width === 64;
  return tables;
}

/** Of a saved domain nobody knows them. */
const noSymbols: SymbolTable = { find: () => undefined, functions: () => [] };

const entriesOf = ({ image }: DomainSource): readonly bigint[] =>
  image === undefined
    ? []
    : [image.entry, ...image.symbols.functions().map(({ address }) => address)];
