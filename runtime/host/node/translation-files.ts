/** Translations as files that a person names or that lie beside their image: written once, and read before the cache is asked. */
import { readFile, writeFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { UserError } from '../../errors.ts';
import type { ModuleCache } from '../../recompiler/store/cache.ts';
import { mainModuleOf } from '../../recompiler/store/kept-translation.ts';
import {
  packTranslation,
  type TranslationFile,
  unpackTranslation,
} from '../../recompiler/store/translation-file.ts';

/** What the translation of one image is written to. */
export class TranslationOutput implements ModuleCache {
  readonly #path: string;
  readonly #stamp: string;

  constructor(path: string, stamp: string) {
    this.#path = path;
    this.#stamp = stamp;
  }

  get(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** Who named the file wants to know that it is not there: a UserError. */
  async put(key: string, encoded: Uint8Array): Promise<void> {
    const bytes = await packTranslation({ stamp: this.#stamp, key, encoded });
    try {
      await writeFile(this.#path, bytes);
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      throw new UserError(`${this.#path}: cannot be written (${code ?? message})`, { cause });
    }
  }
}

/** Where the translation of an image is looked for if no file is named. */
export function translationsBeside(image: string): string[] {
  const { dir, name } = parse(image);
  const paths = new Set([`${image}.wasm`, join(dir, `${name}.wasm`)]);
  return [...paths].filter((path) => path !== image);
}

/** A cache, and in front of it files of which each may fit the image. What a run adds goes into the cache. */
export class TranslationFiles implements ModuleCache {
  readonly #paths: readonly string[];
  readonly #stamp: string;
  readonly #cache: ModuleCache;
  readonly #refused: (line: string) => void;

  /** `refused` is told of each file that does not fit, in a line. */
  constructor(
    paths: readonly string[],
    stamp: string,
    cache: ModuleCache,
    refused: (line: string) => void,
  ) {
    this.#paths = paths;
    this.#stamp = stamp;
    this.#cache = cache;
    this.#refused = refused;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const cached = await this.#cache.get(key);
    for (const path of this.#paths) {
      const encoded = await this.#read(path, key);
      if (encoded === undefined) continue;
      // What earlier runs of the file added is in the cache, with the file's module.
      return cached !== undefined && mainModule(cached).equals(mainModule(encoded))
        ? cached
        : encoded;
    }
    return cached;
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    return this.#cache.put(key, bytes);
  }

  async #read(path: string, key: string): Promise<Uint8Array | undefined> {
    try {
      const file = await unpackTranslation(await readFile(path));
      this.#check(file, key);
      return file.encoded;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined && !(error instanceof UserError)) throw error;
      const reason = code === undefined ? message : `cannot be read (${code})`;
      this.#refused(`${path}: ${reason}; going on without it`);
      return undefined;
    }
  }

  #check({ stamp, key }: TranslationFile, wanted: string): void {
    if (stamp !== this.#stamp) throw new UserError('made by another version of the recompiler');
    if (key !== wanted) throw new UserError('made from another image, or for another --memory');
  }
}

function mainModule(encoded: Uint8Array): Buffer {
  const { from, to } = mainModuleOf(encoded) ?? { from: 0, to: 0 };
  return Buffer.from(encoded.buffer, encoded.byteOffset + from, to - from);
}
