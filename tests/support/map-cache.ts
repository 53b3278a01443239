/** Translations that are kept as long as somebody has this, and what is asked of it. */
import type { ModuleCache } from '../../runtime/index.ts';

export class MapCache implements ModuleCache {
  readonly entries = new Map<string, Uint8Array>();
  hits = 0;
  puts = 0;

  get(key: string): Promise<Uint8Array | undefined> {
    const found = this.entries.get(key);
    if (found !== undefined) this.hits++;
    return Promise.resolve(found);
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    this.puts++;
    this.entries.set(key, bytes.slice());
    return Promise.resolve();
  }
}
