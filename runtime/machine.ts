/** The composition root: from the bytes of an image to a domain that runs. The one file that knows every part. */
import type { Console } from './backends/console/console.ts';
import { MemoryConsole } from './backends/console/memory-console.ts';
import { Vcpu } from './cpu/vcpu.ts';
import { type Clock, systemClock } from './domain/clock.ts';
import { Domain, type Ending } from './domain/domain.ts';
import { Signal } from './domain/signal.ts';
import { type ElfImage, parseImage } from './elf/image.ts';
import { UnsupportedError } from './errors.ts';
import { GuestMemory } from './memory/guest-memory.ts';
import { MachineMemory, pageFlagsOffset } from './memory/machine-memory.ts';
import { trampolineBytes } from './minios/kernel/host-calls.ts';
import { type LoadedApplication, loadApplication } from './minios/loader.ts';
import { startApplication } from './minios/start.ts';
import type { ModuleCache } from './recompiler/cache.ts';
import type { CodeRegion } from './recompiler/translator.ts';
import type { Trace } from './trace.ts';

export interface BootOptions {
  /** In reports, and the guest's argv[0]. */
  readonly name?: string;
  /** argv from 1 on. */
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Bytes of guest memory; 32 MiB if not given. */
  readonly memory?: number;
  /** The outside of the console; if not given, one in memory that the domain's `console` is the other end of. */
  readonly console?: Console;
  readonly cache?: ModuleCache;
  readonly clock?: Clock;
  readonly trace?: Trace;
  /** Polls of the vCPU (about one a loop or call) after which the domain is stopped. */
  readonly budget?: number;
}

export interface BootedDomain {
  readonly name: string;
  readonly exited: Promise<Ending>;
  /** Ends it where it stands: status 130. */
  stop(): void;
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
  const image = await parseImage(bytes, name);
  const own = options.console === undefined ? new MemoryConsole() : undefined;
  const domain = await build(image, options, options.console ?? own?.guest ?? noConsole());
  const ended = run(domain, name);
  if (own === undefined) return { name, exited: ended, stop: () => domain.stop() };
  const exited = ended.then((ending) => {
    own.finish(`the guest has ended with status ${ending.status}`);
    return ending;
  });
  return { name, exited, console: own, stop: () => domain.stop() };
}

async function run(domain: Domain, name: string): Promise<Ending> {
  try {
    return await domain.run();
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return { status: 3, reason: 'fault', report: `${name}: ${error.message}` };
  }
}

async function build(image: ElfImage, options: BootOptions, console: Console): Promise<Domain> {
  const { clock = systemClock(), memory: size = defaultMemory } = options;
  const memory = new MachineMemory();
  const loaded = loadApplication(image, memory, {
    memory: size,
    arguments: [image.name, ...(options.arguments ?? [])],
    environment: options.environment ?? {},
  });
  const guest = new GuestMemory(memory, loaded.addressSpace);
  const cpu = makeCpu(image, memory, loaded, guest);
  await cpu.translateAll();
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
  return new Domain(budget === undefined ? parts : { ...parts, budget });
}

function makeCpu(
  image: ElfImage,
  memory: MachineMemory,
  { addressSpace, map }: LoadedApplication,
  guest: GuestMemory,
): Vcpu {
  const { width } = image;
  const region = (address: bigint, length: number): CodeRegion => ({
    address,
    bytes: guest.readBytes(address, length),
  });
  const code = image.segments
    .filter(({ executable }) => executable)
    .map(({ address, memorySize }) => region(address, Number(memorySize)));
  const isConstant = (address: bigint): boolean =>
    image.segments.some(
      (s) =>
        !s.writable &&
        address >= s.address &&
        address + BigInt(width / 8) <= s.address + s.memorySize,
    );
  return new Vcpu({
    mode: width,
    memory,
    addressSpace,
    run: addressSpace.run,
    code: [...code, region(map.trampolines, trampolineBytes)],
    entries: [image.entry, ...image.symbols.functions().map(({ address }) => address)],
    readConstant: (address) => (isConstant(address) ? guest.readWord(address, width) : undefined),
    pageFlags: pageFlagsOffset,
  });
}

/** Nothing to read, and nobody who reads. */
function noConsole(): Console {
  const console = new MemoryConsole();
  console.end();
  return console.guest;
}
