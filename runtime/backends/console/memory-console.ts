/** A console that a program holds the other end of: it writes what the guest reads, and expects what the guest prints. */
import { ByteQueue } from './byte-queue.ts';
import type { Console } from './console.ts';

interface Waiting {
  readonly pattern: string | RegExp;
  readonly found: (match: string) => void;
  readonly failed: (reason: Error) => void;
  readonly timer: ReturnType<typeof setTimeout> | undefined;
}

export interface ExpectOptions {
  /** Milliseconds. */
  readonly timeout?: number;
}

export class MemoryConsole {
  /** The end that a guest is given. */
  readonly guest: Console;
  readonly #input = new ByteQueue();
  readonly #decoder = new TextDecoder();
  #ended = false;
  #closed = false;
  #changed = (): void => {};
  #output = '';
  /** What expect has not matched yet begins here. */
  #seen = 0;
  #waiting: Waiting[] = [];
  #over: string | undefined;

  constructor({ isTerminal = false }: { isTerminal?: boolean } = {}) {
    const input = (): Console['input'] =>
      this.#input.length > 0 ? 'ready' : this.#ended ? 'ended' : 'waiting';
    const output = (): Console['output'] => (this.#closed ? 'closed' : 'open');
    this.guest = {
      isTerminal,
      write: (bytes) => this.#print(bytes),
      read: (count) => (input() === 'ended' ? undefined : this.#input.take(count)),
      get input() {
        return input();
      },
      get output() {
        return output();
      },
      listen: (changed) => {
        this.#changed = changed;
      },
      flush: () => Promise.resolve(),
    };
  }

  /** All that the guest has printed. */
  get text(): string {
    return this.#output;
  }

  /** Types to the guest. */
  write(text: string | Uint8Array): void {
    this.#input.push(typeof text === 'string' ? new TextEncoder().encode(text) : text.slice());
    this.#changed();
  }

  /** No more input will come. */
  end(): void {
    this.#ended = true;
    this.#changed();
  }

  /** What the guest prints from now on is refused, as by a closed pipe. */
  close(): void {
    this.#closed = true;
    this.#changed();
  }

  /**
   * Resolves with the text that matched, once the guest has printed it; the next call looks behind it. Rejects when the
   * time is over or the guest ends without it.
   */
  expect(pattern: string | RegExp, { timeout }: ExpectOptions = {}): Promise<string> {
    const asked = new Promise<string>((found, failed) => {
      const fail = (): void => this.#give(waiting, `nothing within ${timeout} ms`);
      const timer = timeout === undefined ? undefined : setTimeout(fail, timeout);
      const waiting: Waiting = { pattern, found, failed, timer };
      this.#waiting.push(waiting);
    });
    this.#match();
    return asked;
  }

  /** The guest has ended: whoever still expects something is told so. */
  finish(why: string): void {
    this.#over = why;
    this.#match();
  }

  #print(bytes: Uint8Array): 'taken' | 'closed' {
    if (this.#closed) return 'closed';
    this.#output += this.#decoder.decode(bytes, { stream: true });
    this.#match();
    return 'taken';
  }

  #match(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const end = this.#find(first.pattern);
      if (end === undefined) {
        if (this.#over === undefined) return;
        this.#give(first, this.#over);
        continue;
      }
      this.#waiting.shift();
      clearTimeout(first.timer);
      this.#seen = end.index + end.text.length;
      first.found(end.text);
    }
  }

  #find(pattern: string | RegExp): { index: number; text: string } | undefined {
    const rest = this.#output.slice(this.#seen);
    if (typeof pattern === 'string') {
      const index = rest.indexOf(pattern);
      return index < 0 ? undefined : { index: index + this.#seen, text: pattern };
    }
    const match = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).exec(rest);
    return match === null ? undefined : { index: match.index + this.#seen, text: match[0] };
  }

  #give(waiting: Waiting, why: string): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    clearTimeout(waiting.timer);
    const rest = this.#output.slice(this.#seen);
    const seen = rest.length > 2000 ? `… ${rest.slice(-2000)}` : rest;
    waiting.failed(
      new Error(
        `console: expected ${waiting.pattern}, ${why}; printed since: ${JSON.stringify(seen)}`,
      ),
    );
  }
}
