/** From an application image to a domain that runs: Mini-OS around one guest, in the world of its machine. */
import type { Console } from './backends/console/console.ts';
import type { Environment } from './cpu/environment.ts';
import { flatEnvironment } from './cpu/flat-environment.ts';
import type { Tier } from './cpu/translations-options.ts';
import { Vcpu } from './cpu/vcpu.ts';
import { allocateTables, type VcpuTables } from './cpu/vcpu-tables.ts';
import { Domain } from './domain/domain.ts';
import { Signal } from './domain/signal.ts';
import { type DeviceOptions, type Display, serveDevices } from './domain-devices.ts';
import type { ElfImage } from './elf/image.ts';
import type { MachineWorld } from './machine-world.ts';
import { GuestMemory } from './memory/guest-memory.ts';
import { type MachineMemory, pageFlagsOffset, pagesOf } from './memory/machine-memory.ts';
import { functionNames, trampolineBytes, trampolineOf } from './minios/kernel/host-calls.ts';
import { Ports } from './minios/kernel/ports.ts';
import {
  executableData,
  type LoadedApplication,
  loadApplication,
  type Mapping,
} from './minios/loader.ts';
import { type PagedSpace, pagedMapping } from './minios/paged-space.ts';
import type { MountedFolder } from './minios/posix/posix.ts';
import { mappingRows } from './minios/rows/mappings.ts';
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
import { HostFrames } from './xen/host-frames.ts';
import type { StoreClient } from './xenstore/client.ts';

export interface ApplicationBootOptions extends DeviceOptions {
  readonly arguments?: readonly string[] | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly commandLine?: string | undefined;
  /** Bytes. */
  readonly memory: number;
  readonly cache?: ModuleCache | undefined;
  readonly trace?: Trace | undefined;
  readonly budget?: number | undefined;
  readonly tier?: Tier | undefined;
  readonly mapping?: Mapping | undefined;
  /** Whoever opened them closes them when it has ended. */
  readonly folders?: readonly MountedFolder[] | undefined;
}

/** An image in the memory of a machine, with a vCPU that can run it. */
export interface ReadyApplication {
  readonly image: ElfImage;
  readonly id: number;
  readonly cpu: Vcpu;
  readonly loaded: LoadedApplication;
  readonly guest: GuestMemory;
  readonly translation: CachedTranslation | undefined;
  /** Where the image maps pages. */
  readonly space: PagedSpace | undefined;
}

export interface PlacedApplication {
  readonly domain: Domain;
  readonly cpu: Vcpu;
  readonly translation: CachedTranslation | undefined;
  /** The store as domain 0 has it. */
  readonly tools: StoreClient;
  readonly id: number;
  readonly finish: () => Promise<void>;
  readonly displays: readonly Display[];
}

const wordsOf = (commandLine = ''): string[] =>
  commandLine.split(' ').filter((word) => word !== '');

/** What is translated is found again by the same image on a machine whose domains before it were the same. */
export async function prepareApplication(
  image: ElfImage,
  options: ApplicationBootOptions,
  { clock, frames, memory }: MachineWorld,
  id: number,
  ahead?: AheadOfTime,
): Promise<ReadyApplication> {
  const tables = allocateTables(memory);
  const allocate = (bytes: number): number =>
    frames.hostOf(frames.allocate(id, pagesOf(bytes))) ?? 0;
  const paged = image.imports.some(({ name }) => name in mappingRows)
    ? pagedMapping(frames, allocate, image.width)
    : undefined;
  const mapping = options.mapping ?? paged;
  const loaded = loadApplication(image, memory, {
    memory: options.memory,
    arguments: [image.name, ...(options.arguments ?? []), ...wordsOf(options.commandLine)],
    environment: options.environment ?? {},
    allocate,
    ...(mapping && { mapping }),
  });
  const guest = new GuestMemory(memory, loaded.addressSpace);
  const environment = flatEnvironment(image.width, () => clock.monotonic());
  const { tier } = options;
  const cpu = makeCpu(image, memory, tables, loaded, guest, { environment, tier });
  const cache = mapping === undefined ? options.cache : undefined;
  const translation = await translate(cpu, cache, ahead);
  return { image, id, cpu: cpu.cpu, loaded, guest, translation, space: paged?.space() };
}

export async function placeApplication(
  image: ElfImage,
  options: ApplicationBootOptions & { readonly console: Console },
  machine: MachineWorld,
): Promise<PlacedApplication> {
  const { clock, store } = machine;
  const { console, budget, trace, commandLine, memory } = options;
  const id = machine.takeDomid();
  const { cpu, loaded, guest, translation, space } = await prepareApplication(
    image,
    options,
    machine,
    id,
  );
  const changed = new Signal();
  console.listen(() => changed.raise());
  machine.describe(id, { name: image.name, memory, commandLine });
  store.serve(id);
  const ports = new Ports();
  const parts = machine.xen.admit(id, ports, () => changed.raise());
  const kernel = startApplication({
    ...{ image, loaded, guest, cpu, clock, console, trace, folders: options.folders },
    changed: () => changed.raise(),
    world: {
      ...{ channels: parts.events, ports, grants: parts.grants, frames: machine.frames, domid: id },
      store: store.converse(id, () => changed.raise()),
      paged: space && { space, zeros: machine.zeros },
    },
  });
  const tools = store.connect();
  const { width } = image;
  const devices = serveDevices(
    tools,
    {
      ...{ id, width, memory: machine.memory, clock, trace },
      ...{ granted: parts.grantedMemory, ports: parts.eventPorts },
      foreign: new HostFrames(id, machine.frames),
    },
    options,
  );
  const own = { name: image.name, cpu, kernel, clock, changed };
  const domain = new Domain(budget === undefined ? own : { ...own, budget });
  const finish = async (): Promise<void> => {
    kernel.posix.end();
    await devices.close();
    machine.end(id);
  };
  return { domain, cpu, translation, tools, id, finish, displays: devices.displays };
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
    readConstant: (address, bits) =>
      isConstant(address) ? guest.readWord(address, bits) : undefined,
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
