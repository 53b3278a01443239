/** A disk that writes down all that happens, so that one run has a crash at each of its moments: what no flush has reached is there or not. */
import { checkWrite, type Disk, type Done } from '../../runtime/backends/block/disk.ts';
import { MemoryDisk } from '../../runtime/backends/block/memory-disk.ts';
import type { Random } from './random.ts';

type Step =
  | { readonly kind: 'write'; readonly sector: number; readonly bytes: Uint8Array }
  /** All that was written before the step `from` is safe. */
  | { readonly kind: 'flushed'; readonly from: number }
  | { readonly kind: 'mark'; readonly text: string };

export class CrashingDisk implements Disk {
  readonly isReadOnly = false;
  readonly isImmediate = true;
  readonly discardGranularity = 0;
  readonly bytes: Uint8Array;
  readonly steps: Step[] = [];
  readonly #first: Uint8Array;
  readonly #now: MemoryDisk;
  #safe: { readonly bytes: Uint8Array; upTo: number } | undefined;

  constructor(bytes: Uint8Array) {
    this.#first = bytes.slice();
    this.bytes = bytes.slice();
    this.#now = new MemoryDisk(this.bytes);
  }

  get sectors(): number {
    return this.#now.sectors;
  }

  /** Something that a crash behind it must know. */
  mark(text: string): void {
    this.steps.push({ kind: 'mark', text });
  }

  read(sector: number, buffers: readonly Uint8Array[]): Done {
    return this.#now.read(sector, buffers);
  }

  write(sector: number, buffers: readonly Uint8Array[]): Done {
    checkWrite(this, sector, buffers);
    const done = this.#now.write(sector, buffers);
    const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    const bytes = this.bytes.slice(sector * 512, sector * 512 + length);
    this.steps.push({ kind: 'write', sector, bytes });
    return done;
  }

  async flush(): Promise<void> {
    const from = this.steps.length;
    for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve));
    this.steps.push({ kind: 'flushed', from });
  }

  discard(): never {
    throw new Error('discards are not asked for');
  }

  async close(): Promise<void> {}

  /**
   * What a crash at a step leaves, and the marks before it. Sectors are written whole or not at all. Quickest where each step is
   * no earlier than the last that was asked for.
   */
  crash(at: number, r: Random): { readonly bytes: Uint8Array; readonly marks: readonly string[] } {
    const before = this.steps.slice(0, at);
    const last = before.findLast((step) => step.kind === 'flushed');
    const safe = last?.from ?? 0;
    const bytes = this.#safeUpTo(safe).slice();
    const of = 1 + r.below(4);
    for (const step of before.slice(safe)) {
      if (step.kind !== 'write') continue;
      const isTorn = r.below(3) === 0;
      if (!isTorn && r.below(of) === 0) continue;
      for (let from = 0; from < step.bytes.length; from += 512)
        if (!isTorn || r.below(2) === 0)
          bytes.set(step.bytes.subarray(from, from + 512), step.sector * 512 + from);
    }
    const marks = before.flatMap((step) => (step.kind === 'mark' ? [step.text] : []));
    return { bytes, marks };
  }

  /** With all writes before a step, and no others. */
  #safeUpTo(step: number): Uint8Array {
    if (this.#safe === undefined || this.#safe.upTo > step)
      this.#safe = { bytes: this.#first.slice(), upTo: 0 };
    const { bytes, upTo } = this.#safe;
    for (const done of this.steps.slice(upTo, step))
      if (done.kind === 'write') bytes.set(done.bytes, done.sector * 512);
    this.#safe.upTo = step;
    return bytes;
  }
}
