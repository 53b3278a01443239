/** Pages that a front-end has granted, mapped for a request or, with the feature `persistent`, kept until others push them out. */
import type { GrantedAccess, GrantedMemory, GrantMapping } from '../domain/granted-memory.ts';

class Kept implements GrantMapping {
  readonly host: number;
  readonly mapping: GrantMapping;
  /** Requests that use it now. */
  users = 0;

  constructor(mapping: GrantMapping) {
    this.host = mapping.host;
    this.mapping = mapping;
  }

  unmap(): void {
    this.users--;
  }
}

export class GrantCache implements GrantedMemory {
  readonly #granted: GrantedMemory;
  readonly #most: number;
  /** By reference; the least recently used first. */
  readonly #kept = new Map<number, Kept>();

  /** Keeps `most` at most; 0: none, so it only passes on. */
  constructor(granted: GrantedMemory, most: number) {
    this.#granted = granted;
    this.#most = most;
  }

  /** What it gives must be unmapped when the request is done, kept or not. */
  map(reference: number, access: GrantedAccess): GrantMapping {
    if (this.#most === 0) return this.#granted.map(reference, access);
    const kept = this.#kept.get(reference);
    if (kept === undefined) return this.#mapNew(reference, access);
    this.#kept.delete(reference);
    this.#kept.set(reference, kept);
    kept.users++;
    return kept;
  }

  close(): void {
    for (const { mapping } of this.#kept.values()) mapping.unmap();
    this.#kept.clear();
  }

  /** Such a grant is for reading and writing, since the next request may go the other way. */
  #mapNew(reference: number, access: GrantedAccess): GrantMapping {
    if (!this.#makeRoom()) return this.#granted.map(reference, access);
    const kept = new Kept(this.#granted.map(reference, 'write'));
    this.#kept.set(reference, kept);
    kept.users++;
    return kept;
  }

  #makeRoom(): boolean {
    if (this.#kept.size < this.#most) return true;
    for (const [reference, { users, mapping }] of this.#kept)
      if (users === 0) {
        mapping.unmap();
        this.#kept.delete(reference);
        return true;
      }
    return false;
  }
}
