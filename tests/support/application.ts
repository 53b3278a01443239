/** An application whose code is a list of TypeScript steps, over the real loader, kernel and domain. */
import { XS } from '../../runtime/abi/io/xs-wire.ts';
import { MemoryConsole } from '../../runtime/backends/console/memory-console.ts';
import { Domain, type Ending } from '../../runtime/domain/domain.ts';
import { Signal } from '../../runtime/domain/signal.ts';
import type { ElfImage, Relocation } from '../../runtime/elf/image.ts';
import { noSymbols } from '../../runtime/elf/symbols.ts';
import { GuestMemory } from '../../runtime/memory/guest-memory.ts';
import { MachineMemory } from '../../runtime/memory/machine-memory.ts';
import { trampolineOf } from '../../runtime/minios/kernel/host-calls.ts';
import type { MiniOs } from '../../runtime/minios/kernel/mini-os.ts';
import { Ports } from '../../runtime/minios/kernel/ports.ts';
import type { StoreSession } from '../../runtime/minios/kernel/store.ts';
import { type LoadedApplication, loadApplication } from '../../runtime/minios/loader.ts';
import { startApplication } from '../../runtime/minios/start.ts';
import { FrameTable } from '../../runtime/xen/frames.ts';
import { XenWorld } from '../../runtime/xen/xen-world.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeCpu, type Step } from './fake-cpu.ts';

/** Read-only code, then a page that can be written. */
export const text = 0x100_0000n;
export const data = 0x100_1000n;
/** Where the image's copy of minios_current is. */
export const currentVariable = data;
/** From here on tests may keep what they like. */
export const scratch = data + 0x100n;

export function fakeImage(width: 64 | 32, changes: Partial<ElfImage> = {}): ElfImage {
  const segment = { fileOffset: 0, physical: 0n, memorySize: 0x1000n, readable: true };
  const copy: Relocation = {
    ...{ address: currentVariable, symbol: 'minios_current', weak: false, addend: 0n },
    ...{ type: width === 64 ? 'R_X86_64_COPY' : 'R_386_COPY', size: width / 8 },
  };
  return {
    ...{ name: 'fake.elf', width, kind: 'application', entry: text, needed: ['libminios.so'] },
    ...{ executableStack: false, threadVariables: undefined },
    segments: [
      { ...segment, address: text, bytes: new Uint8Array(16), writable: false, executable: true },
      { ...segment, address: data, bytes: new Uint8Array(), writable: true, executable: false },
    ],
    ...{ imports: [], relocations: [copy], notes: [], hasLegacyNotes: false, symbols: noSymbols },
    ...changes,
  };
}

export interface Application {
  readonly cpu: FakeCpu;
  readonly kernel: MiniOs;
  readonly memory: GuestMemory;
  readonly console: MemoryConsole;
  readonly clock: FakeClock;
  readonly loaded: LoadedApplication;
  readonly domain: Domain;
  /** Makes a waiting kernel look again. */
  readonly changed: Signal;
  /** Runs the steps as the main program. */
  run(...steps: readonly Step[]): Promise<Ending>;
  /** Writes a NUL-ended string at a scratch place. */
  text(value: string, at?: bigint): bigint;
}

export interface ApplicationSettings {
  readonly width?: 64 | 32;
  readonly memory?: number;
  readonly budget?: number;
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly isTerminal?: boolean;
}

const noStore: StoreSession = {
  watches: [],
  request: () => ({ type: XS.ERROR, payload: new TextEncoder().encode('ENOSYS\0') }),
  takeEvent: () => undefined,
};

export function application(settings: ApplicationSettings = {}): Application {
  const { width = 64, memory: size = 2 ** 20, budget = 100_000, isTerminal = false } = settings;
  const image = fakeImage(width);
  const machine = new MachineMemory();
  const loaded = loadApplication(image, machine, {
    memory: size,
    arguments: settings.arguments ?? ['fake.elf'],
    environment: settings.environment ?? {},
  });
  const memory = new GuestMemory(machine, loaded.addressSpace);
  const cpu = new FakeCpu(
    width,
    memory,
    (name) => trampolineOf(name, loaded.map.trampolines) ?? 0n,
  );
  const console = new MemoryConsole({ isTerminal });
  const clock = new FakeClock();
  const changed = new Signal();
  console.guest.listen(() => changed.raise());
  const ports = new Ports();
  const frames = new FrameTable(machine);
  const { events: channels, grants } = new XenWorld(frames, clock).admit(1, ports, () =>
    changed.raise(),
  );
  const kernel = startApplication({
    ...{ image, loaded, guest: memory, cpu, clock, console: console.guest, trace: undefined },
    world: { channels, ports, grants, frames, domid: 1, paged: undefined, store: noStore },
  });
  const domain = new Domain({ name: image.name, cpu, kernel, clock, changed, budget });
  return {
    ...{ cpu, kernel, memory, console, clock, loaded, domain, changed },
    run(...steps) {
      cpu.load(text, steps);
      return domain.run();
    },
    text(value, at = scratch) {
      memory.writeBytes(at, new TextEncoder().encode(`${value}\0`));
      return at;
    },
  };
}
