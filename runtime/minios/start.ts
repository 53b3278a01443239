/** From a loaded application and a fresh vCPU to the kernel that runs it. */
import type { Console } from '../backends/console/console.ts';
import { faultReporter } from '../cpu/fault-report.ts';
import type { Clock } from '../domain/clock.ts';
import type { DomainEvents } from '../domain/domain-events.ts';
import type { DomainFrames } from '../domain/domain-frames.ts';
import type { DomainGrants } from '../domain/domain-grants.ts';
import type { GuestCpu } from '../domain/guest-cpu.ts';
import type { ElfImage } from '../elf/image.ts';
import type { Segment } from '../elf/segments.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { pageSize } from '../memory/machine-memory.ts';
import type { Trace } from '../trace.ts';
import { RSP } from '../x86/registers.ts';
import { Callbacks } from './kernel/callbacks.ts';
import { Events } from './kernel/events.ts';
import { FreeSpace } from './kernel/free-space.ts';
import { Grants } from './kernel/grants.ts';
import { trampolineOf, withTrampolines } from './kernel/host-calls.ts';
import { KernelClocks } from './kernel/kernel-clocks.ts';
import { MapArea } from './kernel/map-area.ts';
import { Mappings } from './kernel/mappings.ts';
import { MiniOs } from './kernel/mini-os.ts';
import { Pages } from './kernel/pages.ts';
import type { Ports } from './kernel/ports.ts';
import { type StoreSession, StoreTalk } from './kernel/store.ts';
import { Threads } from './kernel/threads.ts';
import type { LoadedApplication } from './loader.ts';
import type { PagedSpace } from './paged-space.ts';
import { type MountedFolder, Posix } from './posix/posix.ts';

export interface ApplicationParts {
  readonly image: ElfImage;
  readonly loaded: LoadedApplication;
  readonly guest: GuestMemory;
  readonly cpu: GuestCpu;
  readonly clock: Clock;
  readonly console: Console;
  readonly trace: Trace | undefined;
  readonly world: ApplicationWorld;
  readonly folders?: readonly MountedFolder[] | undefined;
  /** Makes the domain look again at what its threads wait for. */
  readonly changed?: () => void;
}

/** What an application has of its machine. */
export interface ApplicationWorld {
  readonly channels: DomainEvents;
  /** Those that `channels` set. */
  readonly ports: Ports;
  readonly grants: DomainGrants;
  readonly frames: DomainFrames;
  readonly domid: number;
  readonly store: StoreSession;
  /** Where the application has page tables, and with them a page of zeros. */
  readonly paged: { readonly space: PagedSpace; readonly zeros: number } | undefined;
}

/** The vCPU stands at the image's entry afterwards. */
export function startApplication(parts: ApplicationParts): MiniOs {
  const { image, loaded, guest: memory, cpu, clock, console, trace, world } = parts;
  const { map, data } = loaded;
  const { name, width, segments } = image;
  const space = new FreeSpace(map, loaded.addressSpace, memory);
  const mapArea = new MapArea({
    ...{ space, memory, addressSpace: loaded.addressSpace },
    data: [
      { start: map.mainStack.low, end: map.mainStack.high },
      ...segments.filter(({ writable }) => writable).map(pagesOf),
    ],
  });
  const returnAddress = trampolineOf('exit_thread', map.trampolines) ?? 0n;
  const currentVariable = data['minios_current'] ?? 0n;
  const threads = new Threads({
    ...{ cpu, memory, space, currentVariable, returnAddress },
    variables: image.threadVariables,
  });
  const callbacks = new Callbacks({
    ...{ cpu, memory, threads, maskVariable: data['minios_callbacks_masked'] ?? 0n },
    returnAddress: trampolineOf('minios_callback_return', map.trampolines) ?? 0n,
  });
  const { channels, ports, frames } = world;
  const events = new Events({ channels, ports, callbacks });
  const pages = new Pages(space, memory, frames);
  const grants = new Grants(world.grants);
  const mappings =
    world.paged &&
    new Mappings({
      ...{ pages, frames, width, grants: world.grants, end: map.end, domid: world.domid },
      ...world.paged,
    });
  cpu.rip = image.entry;
  cpu.setRegister(RSP, loaded.stackPointer);
  threads.begin(loaded.mainThread, loaded.mainThreadName, map.mainStack);
  const clocks = new KernelClocks(clock);
  const symbols = withTrampolines(image.symbols, map.trampolines);
  const reporter = faultReporter({ domain: name, cpu, memory, segments, symbols });
  const posix = (raise: (signal: number) => void): Posix =>
    new Posix({
      ...{ memory, width, console },
      realtime: () => clocks.realtime(),
      monotonic: () => clocks.monotonic(),
      folders: parts.folders ?? [],
      changed: parts.changed ?? (() => {}),
      randomness,
      raise,
    });
  const { trampolines } = map;
  return new MiniOs({
    ...{
      name,
      cpu,
      memory,
      space,
      mapArea,
      threads,
      callbacks,
      clocks,
      trampolines,
      reporter,
      trace,
      posix,
    },
    ...{ events, grants, pages, mappings, store: new StoreTalk(world.store, memory) },
  });
}

const page = BigInt(pageSize);

const pagesOf = ({ address, memorySize }: Segment): { start: bigint; end: bigint } => ({
  start: address & -page,
  end: (address + BigInt(memorySize) + page - 1n) & -page,
});

/** What one call of the platform's gives. */
const mostRandom = 65536;

function randomness(into: Uint8Array): void {
  for (let at = 0; at < into.length; at += mostRandom)
    globalThis.crypto.getRandomValues(into.subarray(at, at + mostRandom));
}
