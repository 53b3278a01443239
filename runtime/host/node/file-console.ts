/** A console of the host's files: one that it writes what comes to, and one that it reads. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { Console } from '../../backends/console/console.ts';
import { UserError } from '../../errors.ts';

export interface ConsoleFiles {
  /** Made anew; what is written is lost where there is none. */
  readonly output: string | undefined;
  /** Nothing comes where there is none. */
  readonly input: string | undefined;
}

export class FileConsole implements Console {
  readonly isTerminal = false;
  readonly #output: number | undefined;
  readonly #input: number | undefined;
  #isAtEnd: boolean;
  #isClosed = false;

  constructor({ output, input }: ConsoleFiles) {
    this.#input = input === undefined ? undefined : opened(input, 'r');
    this.#isAtEnd = input === undefined;
    try {
      this.#output = output === undefined ? undefined : opened(output, 'w');
    } catch (error) {
      this.close();
      throw error;
    }
  }

  write(bytes: Uint8Array): 'taken' | 'closed' {
    if (this.#isClosed) return 'closed';
    let written = 0;
    while (this.#output !== undefined && written < bytes.length)
      written += writeSync(this.#output, bytes, written);
    return 'taken';
  }

  read(count: number): Uint8Array | undefined {
    if (this.input === 'ended' || this.#input === undefined) return undefined;
    const bytes = new Uint8Array(count);
    const length = count === 0 ? 0 : readSync(this.#input, bytes);
    this.#isAtEnd = count > 0 && length === 0;
    return this.#isAtEnd ? undefined : bytes.subarray(0, length);
  }

  get input(): 'ready' | 'ended' {
    return this.#isAtEnd || this.#isClosed ? 'ended' : 'ready';
  }

  get output(): 'open' | 'closed' {
    return this.#isClosed ? 'closed' : 'open';
  }

  /** Files have no events. */
  listen(): void {}

  async flush(): Promise<void> {}

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const file of [this.#input, this.#output]) if (file !== undefined) closeSync(file);
  }
}

function opened(path: string, flags: 'r' | 'w'): number {
  try {
    return openSync(path, flags);
  } catch (cause) {
    const what = flags === 'r' ? 'read' : 'written';
    throw new UserError(`${path}: cannot be ${what}`, { cause });
  }
}
