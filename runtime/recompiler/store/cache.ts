/** Where translations are kept between runs; host/ implements it. A key names all that a translation depends on. */
import type { Mode } from '../../x86/registers.ts';
import type { Layout } from '../layout.ts';
import type { OnProgress } from '../module.ts';
import { decode, encode, type KeptTranslation } from './kept-translation.ts';

/** How a translation is made ahead of time; at run time nobody watches, and nothing is checked twice. */
export interface AheadOfTime {
  readonly onProgress?: OnProgress | undefined;
}

export interface ModuleCache {
  /** Undefined where there is none, or it is damaged. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Best effort: a cache that cannot keep it says so once, and the run goes on. */
  put(key: string, bytes: Uint8Array): Promise<void>;
}

/** Memory that a translation was made from, as the image has it. */
export interface ConstantRegion {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/** What a cache fills, and what fills a cache: the vCPU. */
export interface Translated {
  readonly layout: Layout;
  readonly moduleCount: number;
  restore(kept: KeptTranslation): boolean;
  /** Makes the image runnable: functions are made when they are called. */
  begin(): Promise<void>;
  translateAll(ahead?: AheadOfTime): Promise<void>;
  /** Is told each time that what has run has become one module. */
  whenJoined(tell: () => void): void;
  keep(): KeptTranslation;
}

/** SHA-256 in hexadecimal over layout, entries and every byte of the image that translations are made from. */
export async function translationKey(
  mode: Mode,
  layout: Layout,
  entries: readonly bigint[],
  regions: readonly ConstantRegion[],
  /** What else makes translations differ. */
  tier: string,
): Promise<string> {
  const plain = JSON.stringify(
    {
      mode,
      tier,
      layout,
      entries,
      regions: regions.map(({ address, bytes }) => [address, bytes.length]),
    },
    (_, value: unknown) => (typeof value === 'bigint' ? value.toString(16) : value),
  );
  const head = new TextEncoder().encode(plain);
  const length = regions.reduce((sum, { bytes }) => sum + bytes.length, head.length);
  const whole = new Uint8Array(length);
  whole.set(head);
  let at = head.length;
  for (const { bytes } of regions) {
    whole.set(bytes, at);
    at += bytes.length;
  }
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', whole));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export class CachedTranslation {
  readonly #cpu: Translated;
  readonly #cache: ModuleCache;
  readonly #key: string;
  /** How many modules the cache has. */
  #kept = 0;
  /** One after another. */
  #saved = Promise.resolve();

  constructor(cpu: Translated, cache: ModuleCache, key: string) {
    this.#cpu = cpu;
    this.#cache = cache;
    this.#key = key;
  }

  /** Makes the image runnable, by the cache or by translating it; ahead of time it is always translated. */
  async prepare(ahead?: AheadOfTime): Promise<void> {
    if (ahead !== undefined) {
      await this.#cpu.translateAll(ahead);
      return;
    }
    this.#cpu.whenJoined(() => void this.save());
    const bytes = await this.#cache.get(this.#key);
    const kept = bytes === undefined ? undefined : decode(bytes);
    if (kept !== undefined && this.#cpu.restore(kept)) this.#kept = this.#cpu.moduleCount;
    else await this.#cpu.begin();
  }

  /** Keeps what the cache does not have yet. */
  save(): Promise<void> {
    this.#saved = this.#saved.then(() => this.#save());
    return this.#saved;
  }

  async #save(): Promise<void> {
    if (this.#cpu.moduleCount === this.#kept) return;
    this.#kept = this.#cpu.moduleCount;
    await this.#cache.put(this.#key, encode(this.#cpu.keep()));
  }
}
