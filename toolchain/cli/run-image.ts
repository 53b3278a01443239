/** Boots an image on this terminal and runs it to its end, again where it is to be started again. */
import { readFile } from 'node:fs/promises';
import type { Console } from '../../runtime/backends/console/console.ts';
import type { Ending } from '../../runtime/domain/domain.ts';
import { UserError } from '../../runtime/errors.ts';
import { prepareEngine } from '../../runtime/host/node/engine.ts';
import {
  FileModuleCache,
  moduleCacheDirectory,
  recompilerStamp,
} from '../../runtime/host/node/module-cache.ts';
import { saveDomainTo } from '../../runtime/host/node/saved-domain.ts';
import { TerminalConsole } from '../../runtime/host/node/terminal-console.ts';
import { TranslationFiles, translationsBeside } from '../../runtime/host/node/translation-files.ts';
import {
  type BootedDomain,
  type BootOptions,
  boot,
  Machine,
  type MachineOptions,
} from '../../runtime/machine.ts';
import type { ModuleCache } from '../../runtime/recompiler/store/cache.ts';
import type { TraceCategory } from '../../runtime/trace.ts';
import type { Terminal } from './command.ts';
import {
  type DeviceSpecifications,
  type OpenDevices,
  openDevices,
} from './devices/open-devices.ts';
import { traceTo } from './trace-option.ts';

export interface RunOptions extends DeviceSpecifications {
  readonly image: string;
  /** In reports; the image's path, if not given. */
  readonly name?: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly memory: number;
  /** A file that `recompile -o` wrote; if not given, one beside the image that fits. */
  readonly translation?: string | undefined;
  readonly commandLine?: string | undefined;
  /** A file. */
  readonly ramdisk?: string | undefined;
  readonly trace?: ReadonlySet<TraceCategory>;
  /** Whether a domain that has ended so is started again. */
  readonly restarts?: (ending: Ending) => boolean;
  /** A file that a domain image's state goes to when SIGUSR2 asks it to suspend; it ends then. */
  readonly save?: string | undefined;
}

/** A domain that was saved: the rest is in the file. */
export type ResumeOptions = Pick<RunOptions, 'image' | 'trace' | 'save'> & DeviceSpecifications;

/** The exit status. All that can be refused is refused before anything runs, and then nothing has been written. */
export async function runImage(terminal: Terminal, options: RunOptions): Promise<number> {
  const { image, name = image, memory, ramdisk } = options;
  const bytes = await readImage(image);
  const initial = ramdisk === undefined ? {} : { ramdisk: await readRamdisk(ramdisk, memory) };
  const devices = await openDevices(options, name, tellOn(terminal));
  try {
    const own = { ...bootOptions(terminal, options), ...initial };
    const start = (console: Console) => boot(bytes, { ...own, ...devices.given, console });
    return await runOnTerminal(terminal, start, devices, options);
  } finally {
    await devices.close();
  }
}

/** The same of what `save` has written. */
export async function resumeImage(terminal: Terminal, options: ResumeOptions): Promise<number> {
  const { image } = options;
  const bytes = await readWhole(image, 'a saved domain', image);
  const devices = await openDevices(options, image, tellOn(terminal));
  try {
    const start = (console: Console) =>
      new Machine(traced(terminal, options)).restore(bytes, {
        ...{ ...devices.given, ...traced(terminal, options), console },
        ...{ name: image, log: tellOn(terminal) },
      });
    return await runOnTerminal(terminal, start, devices, options);
  } finally {
    await devices.close();
  }
}

async function runOnTerminal(
  terminal: Terminal,
  start: (console: Console) => Promise<BootedDomain>,
  { displays }: OpenDevices,
  { restarts, save }: Pick<RunOptions, 'restarts' | 'save'>,
): Promise<number> {
  prepareEngine();
  let [domain, hasLeft] = [undefined as BootedDomain | undefined, false];
  const console = new TerminalConsole(terminal, () => {
    hasLeft = true;
    domain?.stop();
  });
  // A guest may wait for what only another domain could send: Node would end, with nothing left to wait for itself.
  const alive = setInterval(() => {}, longestInterval);
  const forget =
    save === undefined
      ? () => {}
      : onSuspendSignal(() => domain && suspendTo(domain, save, tellOn(terminal)));
  try {
    for (;;) {
      domain = await start(console);
      for (const [n, display] of domain.displays.entries()) displays[n]?.show(display);
      const ending = await domain.exited;
      for (const display of displays) display.ended();
      await console.flush();
      const isAgain = !hasLeft && restarts?.(ending) === true;
      if (!isAgain) console.close();
      if (ending.report !== undefined) terminal.stderr.write(`${ending.report}\n`);
      if (!isAgain) return ending.status;
    }
  } finally {
    forget();
    clearInterval(alive);
    console.close();
  }
}

function onSuspendSignal(asked: () => void): () => void {
  process.on('SIGUSR2', asked);
  return () => void process.off('SIGUSR2', asked);
}

/** The file is there when it is whole. What goes wrong is told, and the guest goes on. */
async function suspendTo(
  domain: BootedDomain,
  path: string,
  tell: (line: string) => void,
): Promise<void> {
  try {
    const suspended = await domain.suspend();
    try {
      await saveDomainTo(path, suspended.save());
      suspended.end();
    } catch (error) {
      suspended.resume();
      throw error;
    }
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
  }
}

/** What Node's timers know. */
const longestInterval = 0x7fff_ffff;

function bootOptions(terminal: Terminal, options: RunOptions): BootOptions {
  const { image, name = image, memory, environment, commandLine, arguments: words } = options;
  return {
    ...{ name, arguments: words, environment, memory, log: tellOn(terminal) },
    cache: openCache(terminal, image, options.translation),
    ...(commandLine === undefined ? {} : { commandLine }),
    ...traced(terminal, options),
  };
}

function traced(terminal: Terminal, options: Pick<RunOptions, 'trace'>): MachineOptions {
  const trace = traceTo((line) => void terminal.stderr.write(line), options.trace ?? new Set());
  return trace === undefined ? {} : { trace };
}

const tellOn =
  ({ stderr }: Terminal) =>
  (line: string): void =>
    void stderr.write(`stubdom: ${line}\n`);

function openCache(terminal: Terminal, image: string, named: string | undefined): ModuleCache {
  const stamp = recompilerStamp();
  const tell = tellOn(terminal);
  const cache = new FileModuleCache(moduleCacheDirectory(), stamp, tell);
  // Who named no file need not hear of one that happens to lie there.
  return named === undefined
    ? new TranslationFiles(translationsBeside(image), stamp, cache, () => {})
    : new TranslationFiles([named], stamp, cache, tell);
}

export async function readImage(path: string): Promise<Uint8Array> {
  return await readWhole(path, 'an image', path);
}

async function readRamdisk(path: string, memory: number): Promise<Uint8Array> {
  const bytes = await readWhole(path, 'a ramdisk', `ramdisk ${path}`);
  if (bytes.length >= memory)
    throw new UserError(
      `ramdisk ${path}: its ${bytes.length} bytes do not fit into ${memory} of memory`,
    );
  return bytes;
}

async function readWhole(path: string, what: string, shown: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === 'EISDIR' ? `a directory, not ${what}` : reasons[code ?? ''];
    throw new UserError(`${shown}: ${reason ?? message}`, { cause });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'may not be read',
};
