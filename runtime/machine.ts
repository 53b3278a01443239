/** The composition root: from the bytes of an image to a domain that runs. The one file that knows every part. */
import type { Console } from './backends/console/console.ts';
import { MemoryConsole } from './backends/console/memory-console.ts';
import { placeApplication, prepareApplication } from './boot-application.ts';
import { type PlacedDomain, placeDomain, type Suspending } from './boot-domain.ts';
import type { PagingCounts } from './cpu/paging.ts';
import type { Tier, TranslationSize } from './cpu/translations-options.ts';
import type { Vcpu } from './cpu/vcpu.ts';
import type { Clock } from './domain/clock.ts';
import type { Domain, Ending } from './domain/domain.ts';
import type { DeviceOptions, Display } from './domain-devices.ts';
import { type ElfImage, parseImage } from './elf/image.ts';
import { unpackImage } from './elf/unpack.ts';
import { UnsupportedError, UserError } from './errors.ts';
import { MachineWorld } from './machine-world.ts';
import { pageSize } from './memory/machine-memory.ts';
import type { Mapping } from './minios/loader.ts';
import type { MountedFolder } from './minios/posix/posix.ts';
import {
  type AheadOfTime,
  CachedTranslation,
  type ModuleCache,
  translationKey,
} from './recompiler/store/cache.ts';
import type { Trace } from './trace.ts';
import { readSavedDomain, type SavedImage } from './xen/save/restore-domain.ts';
import type { StoreClient } from './xenstore/client.ts';
import { type AskedShutdown, askToShutDown, type ShutdownRequest } from './xenstore/control.ts';

export interface MachineOptions {
  readonly clock?: Clock;
  /** Hears of the requests of the store. */
  readonly trace?: Trace;
}

export interface DomainOptions extends DeviceOptions {
  /** In reports, and the guest's argv[0]. */
  readonly name?: string;
  /** argv of an application, from 1 on. */
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Of a domain image. An application finds its words behind its arguments, as Mini-OS splits it. */
  readonly commandLine?: string;
  /** For a domain image to find in its memory. */
  readonly ramdisk?: Uint8Array;
  /** Of an application: folders that it finds in its tree. Whoever opened them closes them when it has ended. */
  readonly folders?: readonly MountedFolder[];
  /** Hears, a line each, what a domain image has asked of Xen in vain. */
  readonly log?: (line: string) => void;
  /** Bytes of guest memory; 32 MiB if not given. */
  readonly memory?: number;
  /** The outside of the console; if not given, one in memory that the domain's `console` is the other end of. */
  readonly console?: Console;
  readonly cache?: ModuleCache;
  readonly trace?: Trace;
  /** Polls of the vCPU (about one a loop or call) after which the domain is stopped. */
  readonly budget?: number;
  /** Which forms of translated functions to use, for tests of each; what suits if not given. */
  readonly tier?: Tier;
  /** How the guest's memory is mapped; one linear run if not given. What is translated is not kept then. */
  readonly mapping?: Mapping;
}

export interface BootOptions extends MachineOptions, DomainOptions {}

export interface BootedDomain {
  readonly name: string;
  /** Its number, by which other domains of the machine and the store know it. */
  readonly id: number;
  /** What the guest's page tables cost so far, where it has some. */
  paging(): PagingCounts | undefined;
  readonly exited: Promise<Ending>;
  /** Ends it where it stands: status 130. */
  stop(): void;
  readonly tools: DomainTools;
  /**
   * Asks its kernel to suspend, by control/shutdown, and resolves when it has; rejects with a UserError where it ends instead. For
   * domain images; an old kernel may not hear.
   */
  suspend(): Promise<SuspendedDomain>;
  /** The first, where it was given one. */
  readonly display?: Display;
  readonly displays: readonly Display[];
}

/** A domain that stands still, as its own kernel wanted it to. */
export interface SuspendedDomain {
  /**
   * What `Machine.restore` makes a domain of, as a file of xl's: piece by piece, all of it before anything else is done. A
   * UserError where the guest has left something that no save can stand.
   */
  save(): Iterable<Uint8Array>;
  /** It goes on where it is, and is told that it was not moved. */
  resume(): void;
  /** It ends, with status 2. */
  end(): void;
}

/** What there is to say of a domain that was saved; the rest is in the file. */
export type RestoreOptions = Omit<
  DomainOptions,
  | 'arguments'
  | 'environment'
  | 'commandLine'
  | 'ramdisk'
  | 'folders'
  | 'memory'
  | 'mapping'
  | 'cache'
>;

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

/** A machine that several domains run on, which find each other by their numbers: 1, 2, 3 … as they are booted. */
export class Machine {
  readonly #world: MachineWorld;

  constructor(options: MachineOptions = {}) {
    this.#world = new MachineWorld(options);
  }

  /** Resolves when the image is loaded and translated, and begins to run. Bad images are UserErrors. */
  boot(
    image: Uint8Array,
    options: DomainOptions & { readonly console: Console },
  ): Promise<BootedDomain>;
  boot(image: Uint8Array, options?: DomainOptions): Promise<DomainWithConsole>;
  async boot(
    bytes: Uint8Array,
    options: DomainOptions = {},
  ): Promise<BootedDomain | DomainWithConsole> {
    const name = options.name ?? 'guest';
    const image = await parseImage(await unpackImage(bytes, name), name);
    refuseForKind(image, options);
    const build = image.kind === 'domain' ? buildDomain : buildApplication;
    return await this.#start(name, options.console, (console) =>
      build(image, { ...options, name }, this.#world, console),
    );
  }

  /** A domain as it was when it was saved: its kernel is told that it is another one now, and makes its devices' rings anew. */
  restore(
    saved: Uint8Array,
    options: RestoreOptions & { readonly console: Console },
  ): Promise<BootedDomain>;
  restore(saved: Uint8Array, options?: RestoreOptions): Promise<DomainWithConsole>;
  async restore(
    bytes: Uint8Array,
    options: RestoreOptions = {},
  ): Promise<BootedDomain | DomainWithConsole> {
    const saved = readSavedDomain(bytes, options.name ?? 'a saved domain');
    const name = options.name ?? (saved.name === '' ? 'guest' : saved.name);
    return await this.#start(name, options.console, (console) =>
      restoreDomain(saved, { ...options, name }, this.#world, console),
    );
  }

  async #start(
    name: string,
    given: Console | undefined,
    build: (console: Console) => Promise<Built>,
  ): Promise<BootedDomain | DomainWithConsole> {
    const own = given === undefined ? new MemoryConsole() : undefined;
    const built = await build(given ?? own?.guest ?? noConsole());
    const { domain, cpu, id, tools: store } = built;
    const exited = run(built, name).then(async (ending) => {
      await built.finish();
      own?.finish(`the guest has ended with status ${ending.status}`);
      return ending;
    });
    const booted: BootedDomain = {
      ...{ name, id, exited, stop: () => domain.stop() },
      paging: () => cpu.paging?.counts,
      suspend: () => suspend(built, name),
      tools: { store, askToShutDown: (request) => askToShutDown(store, id, request) },
      ...(built.displays[0] && { display: built.displays[0] }),
      displays: built.displays,
    };
    return own === undefined ? booted : { ...booted, console: own };
  }
}

async function suspend(
  { domain, id, tools, suspending }: Built,
  name: string,
): Promise<SuspendedDomain> {
  if (suspending === undefined)
    throw new UserError(`${name}: a Mini-OS application; it cannot be suspended yet`);
  const reached = suspending.expect();
  askToShutDown(tools, id, 'suspend');
  await reached;
  return {
    save: () => suspending.save(),
    resume: () => suspending.resume(),
    end: () => domain.stop({ status: suspended, reason: 'shutdown' }),
  };
}

/** SHUTDOWN_suspend. */
const suspended = 2;

/** Boots an image on a machine of its own. */
export function boot(
  image: Uint8Array,
  options: BootOptions & { readonly console: Console },
): Promise<BootedDomain>;
export function boot(image: Uint8Array, options?: BootOptions): Promise<DomainWithConsole>;
export function boot(
  bytes: Uint8Array,
  options: BootOptions = {},
): Promise<BootedDomain | DomainWithConsole> {
  return new Machine(options).boot(bytes, options);
}

function refuseForKind({ kind, name }: ElfImage, options: BootOptions): void {
  const { ramdisk, folders = [] } = options;
  if (kind === 'domain' && folders.length > 0)
    throw new UserError(`${name}: a Xen domain image; it cannot be given folders yet`);
  if (kind !== 'application') return;
  if (ramdisk !== undefined)
    throw new UserError(`${name}: a Mini-OS application; it cannot be given a ramdisk yet`);
}

interface Built {
  readonly domain: Domain;
  readonly cpu: Vcpu;
  readonly translation: CachedTranslation | undefined;
  /** What is still to be done when the guest runs no more. */
  readonly finish: () => Promise<void>;
  readonly tools: StoreClient;
  readonly id: number;
  readonly displays: readonly Display[];
  readonly suspending?: Suspending;
}

/** A guest with its own kernel. */
async function buildDomain(
  image: ElfImage,
  options: BootOptions & { readonly name: string },
  world: MachineWorld,
  console: Console,
): Promise<Built> {
  const placed = placeDomain(
    image,
    {
      ...guestOptions(options, console),
      ramdisk: options.ramdisk,
      memory: options.memory ?? defaultMemory,
      commandLine: options.commandLine ?? '',
    },
    world,
  );
  return { ...placed, translation: await translateDomain(image, placed.cpu, options.cache) };
}

/** A guest with its own kernel, as it was saved. */
async function restoreDomain(
  saved: SavedImage,
  options: RestoreOptions & { readonly name: string },
  world: MachineWorld,
  console: Console,
): Promise<Built> {
  const { pages, commandLine } = saved;
  const given = { ...guestOptions(options, console), memory: pages * pageSize, commandLine };
  const placed: PlacedDomain = placeDomain(saved, given, world);
  await placed.cpu.begin();
  return { ...placed, translation: undefined };
}

function guestOptions(options: RestoreOptions & { readonly name: string }, console: Console) {
  const {
    name,
    trace,
    budget,
    tier,
    disks,
    networks,
    p9,
    exports,
    display,
    consoles,
    log = () => {},
  } = options;
  const devices = { disks, networks, p9, exports, display, consoles };
  return { name, console, trace, budget, tier, log, ...devices };
}

/** Each function is kept with the bytes that it was made from; the key has what all of them have in common. */
async function translateDomain(
  image: ElfImage,
  cpu: Vcpu,
  cache: ModuleCache | undefined,
): Promise<CachedTranslation | undefined> {
  if (cache === undefined || cpu.tier !== 'adaptive') {
    await cpu.begin();
    return undefined;
  }
  const regions = image.segments.map(({ address, bytes }) => ({ address, bytes }));
  const key = await translationKey(cpu.mode, cpu.layout, [image.entry], regions, cpu.tier);
  const translation = new CachedTranslation(cpu, cache, key);
  await translation.prepare();
  return translation;
}

const buildApplication = (
  image: ElfImage,
  options: BootOptions,
  world: MachineWorld,
  console: Console,
): Promise<Built> =>
  placeApplication(image, { ...options, memory: options.memory ?? defaultMemory, console }, world);

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
  const world = new MachineWorld();
  const { cpu, translation } = await prepareApplication(
    image,
    { ...options, memory: options.memory ?? defaultMemory },
    world,
    world.takeDomid(),
    { onProgress: options.onProgress },
  );
  await translation?.save();
  return cpu.translationSize;
}

/** Nothing to read, and nobody who reads. */
function noConsole(): Console {
  const console = new MemoryConsole();
  console.end();
  return console.guest;
}
