/** Frames whose numbers tell nothing of where they lie. */
import { type MachineMemory, pageSize } from '../../runtime/memory/machine-memory.ts';
import type { NumberedPlaces } from '../../runtime/memory/table-builder.ts';

/** Machine frame numbers: the machine's pages from a number on, which is not 0. */
export class NumberedFrames implements NumberedPlaces {
  readonly #first: number;
  readonly #memory: MachineMemory;

  constructor(memory: MachineMemory, first = 0x1_2345) {
    this.#memory = memory;
    this.#first = first;
  }

  hostOf(frame: number): number | undefined {
    const host = (frame - this.#first) * pageSize;
    return host >= 0 && host < this.#memory.bytes().length ? host : undefined;
  }

  frameOf(host: number): number {
    return this.#first + Math.floor(host / pageSize);
  }
}
