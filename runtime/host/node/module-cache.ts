/**
 * Translated modules in the user's cache directory. A file is its SHA-256 and then the module, and it appears by rename,
 * so that a cut off or damaged entry is seen, discarded and made anew; several processes may share the directory.
 */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ModuleCache } from '../../recompiler/store/cache.ts';
import { makeDirectory } from './make-directory.ts';

export function moduleCacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const { STUBDOM_CACHE, XDG_CACHE_HOME } = environment;
  const own = STUBDOM_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'stubdom');
  return join(own, 'modules');
}

/** Parts of the runtime that decide what a translation is. */
const translating = ['cpu', 'ir', 'memory', 'recompiler', 'x86'];

/** Packages that a translation comes through. */
const packages = ['iced-x86', 'binaryen'];

/** In the bundle of the command (toolchain/bundle.ts) the stamp of what it was made from. */
declare const bundledStamp: string | undefined;

/** Changes whenever the installed recompiler does: of its files the names, sizes and times. */
export function recompilerStamp(
  runtime = fileURLToPath(new URL('../..', import.meta.url)),
): string {
  if (typeof bundledStamp === 'string') return bundledStamp;
  const stamp = createHash('sha256');
  for (const part of translating) {
    for (const name of filesIn(join(runtime, part)).sort()) {
      if (!name.endsWith('.js')) continue;
      const { size, mtimeMs } = statSync(join(runtime, part, name));
      stamp.update(`${part}/${name} ${size} ${mtimeMs}\n`);
    }
  }
  const { resolve } = createRequire(import.meta.url);
  for (const name of packages) {
    const { size, mtimeMs } = statSync(resolve(name));
    stamp.update(`${name} ${size} ${mtimeMs}\n`);
  }
  return stamp.digest('hex').slice(0, 16);
}

const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' });

const hashLength = 32;
const hash = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

export class FileModuleCache implements ModuleCache {
  readonly #directory: string;
  readonly #stamp: string;
  readonly #warn: (line: string) => void;
  #wasTold = false;

  /** `stamp` keeps entries of different recompilers apart; `warn` gets one line at most. */
  constructor(directory: string, stamp: string, warn: (line: string) => void) {
    this.#directory = directory;
    this.#stamp = stamp;
    this.#warn = warn;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const file = this.#file(key);
    const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') this.#tell('read', error);
      return undefined;
    });
    if (bytes === undefined) return undefined;
    const module = bytes.subarray(hashLength);
    if (bytes.subarray(0, hashLength).equals(hash(module))) return new Uint8Array(module);
    await rm(file, { force: true }).catch(() => {});
    return undefined;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const file = this.#file(key);
    const temporary = `${file}.${process.pid}.tmp`;
    try {
      makeDirectory(this.#directory);
      await writeFile(temporary, Buffer.concat([hash(bytes), bytes]));
      await rename(temporary, file);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      this.#tell('written', error as NodeJS.ErrnoException);
    }
  }

  #file(key: string): string {
    if (!/^[0-9a-f]+$/.test(key)) throw new TypeError(`a cache key is a hex hash, not ${key}`);
    return join(this.#directory, `${this.#stamp}-${key}.module`);
  }

  #tell(what: string, error: NodeJS.ErrnoException): void {
    if (this.#wasTold) return;
    this.#wasTold = true;
    this.#warn(
      `the module cache ${this.#directory} cannot be ${what} (${error.code ?? error.message}); going on without it`,
    );
  }
}
