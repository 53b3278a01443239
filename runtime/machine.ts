/** The composition root: from the bytes of an image to a domain that runs. The one file that knows every part. */
import type { BlockDeviceSpecification, EmptyDrive } from './backends/block/block-device.ts';
import type { Console } from './backends/console/console.ts';
import { MemoryConsole } from './backends/console/memory-console.ts';
import { type PlacedDomain, placeDomain } from './boot-domain.ts';
import type { Environment } from './cpu/environment.ts';
import { flatEnvironment } from './cpu/flat-environment.ts';
import type { PagingCounts } from './cpu/paging.ts';
import type { Tier, TranslationSize } from './cpu/translations-options.ts';
import { Vcpu } from './cpu/vcpu.ts';
import { allocateTables, type VcpuTables } from './cpu/vcpu-tables.ts';
import { type Clock, systemClock } from './domain/clock.ts';
import { Domain, type Ending } from './domain/domain.ts';
import { Signal } from './domain/signal.ts';
import { type ElfImage, parseImage } from './elf/image.ts';
import { unpackImage } from './elf/unpack.ts';
import { UnsupportedError, UserError } from './errors.ts';
import { GuestMemory } from './memory/guest-memory.ts';
import { MachineMemory, pageFlagsOffset } from './memory/machine-memory.ts';
import { functionNames, trampolineBytes, trampolineOf } from './minios/kernel/host-calls.ts';
import {
  executableData,
  type LoadedApplication,
  loadApplication,
  type Mapping,
} from './minios/loader.ts';
import { startApplication } from './minios/start.ts';
import {
  type AheadOfTime,
  CachedTranslation,
  type ConstantRegion,
  type ModuleCache,
  translationKey,
} from './recompiler/store/cache.ts';
import type { CodeRegion } from './recompiler/store/code-region.ts';
import type { Trace } from './trace.ts';
import { RSP } from './x86/registers.ts';
import type { StoreClient } from './xenstore/client.ts';
import { type AskedShutdown, askToShutDown, type ShutdownRequest } from './xenstore/control.ts';

export interface BootOptions {
  /** In reports, and the guest's argv[0]. */
  readonly name?: string;
  /** argv of an application, from 1 on. */
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Of a domain image. An application finds its words behind its arguments, as Mini-OS splits it. */
  readonly commandLine?: string;
  /** For a domain image to find in its memory. */
  readonly ramdisk?: Uint8Array;
  /** Of a domain image. Whoever opened them closes them when it has ended. */
  readonly disks?: readonly (BlockDeviceSpecification | EmptyDrive)[];
  /** Hears, a line each, what a domain image has asked of Xen in vain. */
  readonly log?: (line: string) => void;
  /** Bytes of guest memory; 32 MiB if not given. */
  readonly memory?: number;
  /** The outside of the console; if not given, one in memory that the domain's `console` is the other end of. */
  readonly console?: Console;
  readonly cache?: ModuleCache;
  readonly clock?: Clock;
  readonly trace?: Trace;
  /** Polls of the vCPU (about one a loop or call) after which the domain is stopped. */
  readonly budget?: number;
  /** Which forms of translated functions to use, for tests of each; what suits if not given. */
  readonly tier?: Tier;
  /** How the guest's memory is mapped; one linear run if not given. What is translated is not kept then. */
  readonly mapping?: Mapping;
}

export interface BootedDomain {
  readonly name: string;
  /** What the guest's page tables cost so far, where it has some. */
  paging(): PagingCounts | undefined;
  readonly exited: Promise<Ending>;
  /** Ends it where it stands: status 130. */
  stop(): void;
  /** Of a domain image; an application has none. */
  readonly tools?: DomainTools;
}

/** What a toolstack has of a domain. */
export interface DomainTools {
  /** The store that it talks with, as domain 0 sees it. */
  readonly store: StoreClient;
  /** Asks its kernel to end, by control/shutdown; an old kernel may not hear. */
  askToShutDown(request: ShutdownRequest): AskedShutdown;
}

export interface DomainWithConsole extends BootedDomain {
  readonly console: MemoryConsole;
}

export const defaultMemory = 32 * 2 ** 20;

/** Boots an image; resolves when it is loaded and translated, and begins to run. Bad images are UserErrors. */
export function boot(
  image: Uint8Array,
  options: BootOptions & { readonly console: Console },
): Promise<BootedDomain>;
export function boot(image: Uint8Array, options?: BootOptions): Promise<DomainWithConsole>;
export async function boot(
  bytes: Uint8Array,
  options: BootOptions = {},
): Promise<BootedDomain | DomainWithConsole> {
  const name = options.name ?? 'guest';
  const image = await parseImage(await unpackImage(bytes, name), name);
  refuseForApplications(image, options);
  const own = options.console === undefined ? new MemoryConsole() : undefined;
  const console = options.console ?? own?.guest ?? noConsole();
  const built = await (image.kind === 'domain' ? buildDomain : build)(image, options, console);
  const { domain, cpu } = built;
  const exited = run(built, name).then(async (ending) => {
    await built.finish?.();
    own?.finish(`the guest has ended with status ${ending.status}`);
    return ending;
  });
  const booted = {
    ...{ name, exited, stop: () => domain.stop() },
    paging: () => cpu.paging?.counts,
    ...(built.tools && { tools: built.tools }),
  };
  return own === undefined ? booted : { ...booted, console: own };
}

function refuseForApplications({ kind, name }: ElfImage, { disks, ramdisk }: BootOptions): void {
  if (kind !== 'application') return;
  const what =
    disks !== undefined && disks.length > 0
      ? 'disks'
      : ramdisk === undefined
        ? undefined
        : 'a ramdisk';
  if (what !== undefined)
    throw new UserError(`${name}: a Mini-OS application; it cannot be given ${what} yet`);
}

interface Built {
  readonly domain: Domain;
  readonly cpu: Vcpu;
  readonly translation: CachedTranslation | undefined;
  /** What is still to be done when the guest runs no more. */
  readonly finish?: () => Promise<void>;
  readonly tools?: DomainTools;
}

/** A guest with its own kernel. What is translated of it is not kept: it depends on what its page tables say. */
async function buildDomain(
  image: ElfImage,
  options: BootOptions,
  console: Console,
): Promise<Built> {
  const { clock, trace, budget, tier, ramdisk, disks } = options;
  const placed: PlacedDomain = placeDomain(image, {
    ...{ console, clock, trace, budget, tier, ramdisk, disks },
    memory: options.memory ?? defaultMemory,
    commandLine: options.commandLine ?? '',
    log: options.log ?? (() => {}),
  });
  const { domain, cpu, finish, id } = placed;
  await cpu.begin();
  const store = placed.store.connect();
  const tools: DomainTools = {
    store,
    askToShutDown: (request) => askToShutDown(store, id, request),
  };
  return { domain, cpu, finish, tools, translation: undefined };
}

async function run({ domain, translation }: Built, name: string): Promise<Ending> {
  // The guest need not wait for the disk; what it makes us translate later is kept at its end.
  const saved = translation?.save();
  try {
    return await domain.run();
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return { status: 3, reason: 'fault', report: `${name}: ${error.message}` };
  } finally {
    await saved;
    await translation?.save();
  }
}

/**
 * Translates an image ahead of time, each module checked by binaryen, and keeps it in the cache, where `boot` with the same
 * memory size finds it. What it took, in functions and bytes of Wasm.
 */
export async function recompile(
  bytes: Uint8Array,
  options: Pick<BootOptions, 'name' | 'memory'> & AheadOfTime & { readonly cache: ModuleCache },
): Promise<TranslationSize> {
  const image = await parseImage(bytes, options.name ?? 'guest');
  const { cpu, translation } = await place(image, options, { onProgress: options.onProgress });
  await translation?.save();
  return cpu.translationSize;
}

const wordsOf = (commandLine = ''): string[] =>
  commandLine.split(' ').filter((word) => word !== '');

interface Placed {
  readonly cpu: Vcpu;
  readonly loaded: LoadedApplication;
  readonly guest: GuestMemory;
  readonly translation: CachedTranslation | undefined;
}

/** An image in the memory of a machine, with a vCPU that can run it. */
async function place(image: ElfImage, options: BootOptions, ahead?: AheadOfTime): Promise<Placed> {
  const memory = new MachineMemory();
  const tables = allocateTables(memory);
  const loaded = loadApplication(image, memory, {
    memory: options.memory ?? defaultMemory,
    arguments: [image.name, ...(options.arguments ?? []), ...wordsOf(options.commandLine)],
    environment: options.environment ?? {},
    ...(options.mapping && { mapping: options.mapping }),
  });
  const guest = new GuestMemory(memory, loaded.addressSpace);
  const { clock = systemClock(), tier } = options;
  const environment = flatEnvironment(image.width, () => clock.monotonic());
  const cpu = makeCpu(image, memory, tables, loaded, guest, { environment, tier });
  const cache = options.mapping === undefined ? options.cache : undefined;
  const translation = await translate(cpu, cache, ahead);
  return { cpu: cpu.cpu, loaded, guest, translation };
}

async function build(image: ElfImage, options: BootOptions, console: Console): Promise<Built> {
  const { clock = systemClock() } = options;
  const { cpu, loaded, guest, translation } = await place(image, options);
  const changed = new Signal();
  console.listen(() => changed.raise());
  const kernel = startApplication({
    image,
    loaded,
    guest,
    cpu,
    clock,
    console,
    trace: options.trace,
  });
  const { budget } = options;
  const parts = { name: image.name, cpu, kernel, clock, changed };
  const domain = new Domain(budget === undefined ? parts : { ...parts, budget });
  return { domain, cpu, translation };
}

interface UntranslatedCpu {
  readonly cpu: Vcpu;
  readonly entries: readonly bigint[];
  /** All that a translation is made from. */
  readonly regions: readonly ConstantRegion[];
}

function makeCpu(
  image: ElfImage,
  memory: MachineMemory,
  tables: VcpuTables,
  { addressSpace, map, run = noRun, pageTables, stackPointer }: LoadedApplication,
  guest: GuestMemory,
  { environment, tier = 'adaptive' }: { environment: Environment; tier: Tier | undefined },
): UntranslatedCpu {
  const { width } = image;
  const region = (address: bigint, length: number): ConstantRegion => ({
    address,
    bytes: guest.readBytes(address, length),
  });
  // What is executable may be written, too: who writes it makes its translations be forgotten.
  const constant = image.segments.filter(({ writable, executable }) => !writable || executable);
  const isConstant = (address: bigint): boolean =>
    constant.some(
      (s) => address >= s.address && address + BigInt(width / 8) <= s.address + s.memorySize,
    );
  const trampolines = region(map.trampolines, trampolineBytes);
  const changing = (address: bigint, length: number): CodeRegion => ({
    ...{ address, length },
    now: (at, bytes) => guest.readBytes(at, bytes),
  });
  const code = [
    ...image.segments
      .filter(({ executable }) => executable)
      .map(({ address, memorySize, writable }) =>
        (writable ? changing : region)(address, Number(memorySize)),
      ),
    ...executableData(image, map).map(({ address, length }) => changing(address, length)),
  ];
  const entries = [
    image.entry,
    ...image.symbols.functions().map(({ address }) => address),
    ...functionNames.flatMap((name) => trampolineOf(name, map.trampolines) ?? []),
  ];
  const cpu = new Vcpu({
    ...{ mode: width, memory, addressSpace, run, entries, tier },
    ...(pageTables && { pageTables }),
    code: [...code, trampolines],
    readConstant: (address) => (isConstant(address) ? guest.readWord(address, width) : undefined),
    pageFlags: pageFlagsOffset,
    environment,
    tables,
  });
  cpu.paging?.runs.learn(stackPointer - 1n);
  cpu.setRegister(RSP, stackPointer);
  const regions = constant.map(({ address, memorySize }) => region(address, Number(memorySize)));
  return { cpu, entries, regions: [...regions, trampolines] };
}

const noRun = { lo: 0n, length: 0n, host: 0 };

/** Makes a vCPU's image runnable, by the cache or by translating it. */
async function translate(
  { cpu, entries, regions }: UntranslatedCpu,
  cache: ModuleCache | undefined,
  ahead?: AheadOfTime,
): Promise<CachedTranslation | undefined> {
  if (cache === undefined) {
    await (ahead === undefined ? cpu.begin() : cpu.translateAll(ahead));
    return undefined;
  }
  const key = await translationKey(cpu.mode, cpu.layout, entries, regions, cpu.tier);
  const translation = new CachedTranslation(cpu, cache, key);
  await translation.prepare(ahead);
  return translation;
}

/** Nothing to read, and nobody who reads. */
function noConsole(): Console {
  const console = new MemoryConsole();
  console.end();
  return console.guest;
}
