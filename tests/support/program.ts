/**
 * Programs in C that live twice: built by the toolchain and booted, and built by the machine's gcc and run. What one
 * prints the other must print. A workbench keeps images, native programs and translations while a file's tests run.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DeviceOptions } from '../../runtime/domain-devices.ts';
import {
  type BootOptions,
  boot,
  type Clock,
  type Console,
  type DomainWithConsole,
  type Ending,
  type ModuleCache,
  type MountedFolder,
  type Tier,
} from '../../runtime/index.ts';
import { build, type Width, widths } from '../../toolchain/index.ts';

export interface Program {
  /** C sources. */
  readonly files: readonly string[];
  /** Options of gcc, for both worlds. */
  readonly options?: readonly string[];
}

export interface Input {
  readonly arguments?: readonly string[];
  readonly input?: string | Uint8Array;
  /** Bytes of guest memory. */
  readonly memory?: number;
  /** The guest's. */
  readonly clock?: Clock;
  readonly tier?: Tier;
  /** The guest's. */
  readonly folders?: readonly MountedFolder[];
  /** Hears what the guest prints, when it prints it. */
  readonly onPrint?: (bytes: Uint8Array) => void;
}

export interface Outcome {
  readonly status: number;
  readonly output: Buffer;
}

export type GuestOutcome = Outcome & Ending;

/** Polls that no program of a test needs, so that none runs for ever. */
const budget = 2_000_000_000;
const nativeTimeout = 60_000;
/** gcc takes half a minute for SQLite on a machine that is idle. */
const buildTimeout = 600_000;
const mostOutput = 64 * 2 ** 20;

/** `npm run test:full`. */
export const isFull = process.env['STUBDOM_TEST_TIER'] === 'full';

/** The ways that code is translated; the last is what mixes the others. */
export const tiers: readonly Tier[] = isFull ? ['resumable', 'fast', 'adaptive'] : ['adaptive'];

/** A file beside the tests' sources; the compiled tests lie beside tests/ in another directory. */
export const testFile = (name: string): string =>
  fileURLToPath(new URL(`../../../tests/${name}`, import.meta.url));

export class Workbench {
  readonly #directory = mkdtempSync(join(tmpdir(), 'stubdom-programs-'));
  readonly #made = new Map<string, Promise<string>>();
  readonly #translations = new Map<string, Uint8Array>();
  readonly #cache: ModuleCache = {
    get: async (key) => this.#translations.get(key),
    put: async (key, bytes) => {
      this.#translations.set(key, bytes);
    },
  };

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Path of the image. */
  image(program: Program, width: Width): Promise<string> {
    return this.#once('guest', program, width, async (output, words) => {
      const { status, messages } = await build({ width, output, arguments: words });
      if (status !== 0) throw new Error(`gcc for the guest: ${messages}`);
    });
  }

  /** Path of the same program for this machine. */
  native(program: Program, width: Width): Promise<string> {
    return this.#once('native', program, width, async (output, words) => {
      const machine = width === 32 ? ['-march=pentium4', '-mfpmath=sse'] : [];
      const options = [widths[width].option, ...machine, ...words, '-o', output, '-lm'];
      execFileSync('gcc', options, { stdio: 'pipe', timeout: buildTimeout });
    });
  }

  /** Boots the program and runs it to its end; `argv[0]` is the same in both worlds where nobody prints it. */
  async runGuest(program: Program, width: Width, input: Input = {}): Promise<GuestOutcome> {
    const image = new Uint8Array(readFileSync(await this.image(program, width)));
    const { arguments: words = [], memory = 256 * 2 ** 20, clock, tier, folders } = input;
    const console = new PipeConsole(input);
    const options = { name: 'guest.elf', arguments: words, memory, cache: this.#cache, budget };
    const chosen = { ...(clock && { clock }), ...(tier && { tier }), ...(folders && { folders }) };
    const domain = await boot(image, { ...options, console, ...chosen });
    const ending = await domain.exited;
    return { ...ending, output: console.printed() };
  }

  /** Boots the program with a console in memory, to talk with it. */
  async bootGuest(
    program: Program,
    width: Width,
    words: readonly string[],
    given: Pick<BootOptions, 'folders' | 'memory' | 'trace'> & DeviceOptions = {},
  ): Promise<DomainWithConsole> {
    const image = new Uint8Array(readFileSync(await this.image(program, width)));
    const options = { name: 'guest.elf', arguments: words, cache: this.#cache, budget };
    return boot(image, { ...options, ...given });
  }

  async runNative(program: Program, width: Width, input: Input = {}): Promise<Outcome> {
    const file = await this.native(program, width);
    const { status, signal, stdout, error } = spawnSync(file, input.arguments ?? [], {
      ...{ input: input.input ?? '', timeout: nativeTimeout, maxBuffer: mostOutput },
      ...{ env: { LC_ALL: 'C' }, cwd: this.#directory },
    });
    if (status === null) throw new Error(`${file}: ${signal ?? error?.message}`);
    return { status, output: stdout };
  }

  #once(
    kind: string,
    { files, options = [] }: Program,
    width: Width,
    make: (output: string, words: readonly string[]) => Promise<void>,
  ): Promise<string> {
    const key = JSON.stringify([kind, width, files, options]);
    const output = join(this.#directory, `${kind}-${this.#made.size}`);
    const made =
      this.#made.get(key) ?? make(output, ['-w', ...options, ...files]).then(() => output);
    this.#made.set(key, made);
    return made;
  }
}

/** All input is there from the start, as in a pipe from a file; output is kept as bytes. */
class PipeConsole implements Console {
  readonly isTerminal = false;
  readonly output = 'open';
  readonly #input: Buffer;
  readonly #onPrint: (bytes: Uint8Array) => void;
  readonly #printed: Uint8Array[] = [];
  #at = 0;

  constructor({ input = '', onPrint = () => {} }: Input) {
    this.#input = Buffer.from(input as Uint8Array);
    this.#onPrint = onPrint;
  }

  printed(): Buffer {
    return Buffer.concat(this.#printed);
  }

  get input(): 'ready' | 'ended' {
    return this.#at < this.#input.length ? 'ready' : 'ended';
  }

  read(count: number): Uint8Array | undefined {
    if (this.input === 'ended') return undefined;
    const from = this.#at;
    this.#at = Math.min(from + count, this.#input.length);
    return new Uint8Array(this.#input.subarray(from, this.#at));
  }

  write(bytes: Uint8Array): 'taken' {
    this.#printed.push(bytes.slice());
    this.#onPrint(bytes);
    return 'taken';
  }

  listen(): void {}

  flush(): Promise<void> {
    return Promise.resolve();
  }
}
