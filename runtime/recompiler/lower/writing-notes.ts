/** What the writer of a block notes of its values: in the values themselves, with a token of whose notes they are. */
import type { Value, Writing } from '../../ir/value.ts';

export class WritingNotes {
  readonly #writer = {};

  /** Undefined of what nothing is noted of. */
  of({ writing }: Value): Writing | undefined {
    return writing?.writer === this.#writer ? writing : undefined;
  }

  begin(value: Value): Writing {
    const notes = { writer: this.#writer, uses: 0, integer: -1, float: -1, halves: undefined };
    value.writing = notes;
    return notes;
  }

  ofWritten(value: Value): Writing {
    return this.of(value) ?? this.begin(value);
  }

  /** Of what is to be used, one use is written. */
  use(value: Value): void {
    const notes = this.of(value);
    if (notes !== undefined) notes.uses--;
  }

  /** The local that it lies in by its carrier; below 0 if there is none. */
  integerOf(value: Value): number {
    return this.of(value)?.integer ?? -1;
  }

  /** The same as a Wasm float. */
  floatOf(value: Value): number {
    return this.of(value)?.float ?? -1;
  }
}
