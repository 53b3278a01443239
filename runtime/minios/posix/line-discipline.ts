/**
 * What a Unix terminal does with typed keys before a program sees them (POSIX XBD 11.1.6, canonical mode, with ICRNL
 * and ECHO): the person's terminal is raw, so that Ctrl-] reaches stubdom and nothing else is taken from the guest.
 */
import type { Console } from '../../backends/console/console.ts';

const keys = { eof: 0x04, backspace: 0x08, newline: 0x0a, return: 0x0d, kill: 0x15, delete: 0x7f };
const longestLine = 4096;

export class LineDiscipline {
  readonly #console: Console;
  /** Typed, but the line is not finished. */
  #line: number[] = [];
  /** Finished lines; an empty one is an end of file that was typed. */
  #ready: Uint8Array[] = [];
  #inputEnded = false;

  constructor(console: Console) {
    this.#console = console;
  }

  get input(): 'waiting' | 'ready' | 'ended' {
    this.#take();
    if (this.#ready.length > 0) return 'ready';
    return this.#inputEnded ? 'ended' : 'waiting';
  }

  /** At most one line; empty at the end of file, undefined while there is none. */
  read(count: number): Uint8Array | undefined {
    this.#take();
    const first = this.#ready[0];
    if (first === undefined) return this.#inputEnded ? new Uint8Array() : undefined;
    const taken = first.subarray(0, count);
    if (taken.length === first.length) this.#ready.shift();
    else this.#ready[0] = first.subarray(count);
    return taken;
  }

  #take(): void {
    for (;;) {
      const typed = this.#console.read(longestLine);
      if (typed === undefined) {
        if (this.#line.length > 0) this.#finish();
        this.#inputEnded = true;
        return;
      }
      if (typed.length === 0) return;
      for (const key of typed) this.#press(key);
    }
  }

  #press(key: number): void {
    if (key === keys.return || key === keys.newline) {
      this.#line.push(keys.newline);
      this.#echo('\n');
      this.#finish();
    } else if (key === keys.eof) {
      this.#finish();
    } else if (key === keys.backspace || key === keys.delete) {
      this.#erase();
    } else if (key === keys.kill) {
      while (this.#line.length > 0) this.#erase();
    } else if (this.#line.length < longestLine - 1) {
      this.#line.push(key);
      this.#echo(shown(key));
    }
  }

  /** One character: a UTF-8 sequence goes as a whole. */
  #erase(): void {
    let last = this.#line.pop();
    if (last === undefined) return;
    while (last !== undefined && (last & 0xc0) === 0x80) last = this.#line.pop();
    const isControl = last !== undefined && last < 0x20;
    this.#echo(isControl ? '\b \b\b \b' : '\b \b');
  }

  #finish(): void {
    this.#ready.push(Uint8Array.from(this.#line));
    this.#line = [];
  }

  /** What the console has no room for is not echoed, as on a stopped terminal. */
  #echo(text: string | Uint8Array): void {
    this.#console.write(typeof text === 'string' ? new TextEncoder().encode(text) : text);
  }
}

/** Control characters as `^C`. */
const shown = (key: number): string | Uint8Array =>
  key < 0x20 && key !== 0x09 ? `^${String.fromCharCode(key + 0x40)}` : Uint8Array.of(key);
