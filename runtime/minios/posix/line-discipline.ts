/**
 * What a Unix terminal does with typed keys before a program sees them (POSIX XBD 11.1): the person's terminal is raw, so that
 * Ctrl-] reaches stubdom and nothing else is taken from the guest. Not there: the time of VTIME.
 */
import type { Console } from '../../backends/console/console.ts';
import { SIG } from '../abi/signal.ts';
import { TERMIOS, VC } from '../abi/termios.ts';

const keys = { delete: 0x7f, newline: 0x0a, return: 0x0d };
const longestLine = 4096;
/** Lines that are typed ahead; what comes behind them waits in the console. */
const mostUnread = 256;

export interface TerminalSettings {
  iflag: number;
  oflag: number;
  cflag: number;
  lflag: number;
  ispeed: number;
  ospeed: number;
  cc: readonly number[];
}

/** As Linux begins. */
function initialSettings(): TerminalSettings {
  const { ICRNL, IXON, OPOST, ONLCR, CS8, CREAD, B38400 } = TERMIOS;
  const { ICANON, ECHO, ECHOE, ECHOK, ECHOCTL, ECHOKE, IEXTEN } = TERMIOS;
  const cc = new Array<number>(32).fill(0);
  cc[VC.INTR] = 0x03;
  cc[VC.QUIT] = 0x1c;
  cc[VC.ERASE] = keys.delete;
  cc[VC.KILL] = 0x15;
  cc[VC.EOF] = 0x04;
  cc[VC.MIN] = 1;
  cc[VC.SUSP] = 0x1a;
  return {
    ...{ iflag: ICRNL | IXON, oflag: OPOST | ONLCR, cflag: B38400 | CS8 | CREAD, cc },
    lflag: TERMIOS.ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    ...{ ispeed: B38400, ospeed: B38400 },
  };
}

export class LineDiscipline {
  readonly #console: Console;
  readonly #raise: (signal: number) => void;
  #settings = initialSettings();
  /** Typed, but the line is not finished. */
  #line: number[] = [];
  /** Finished lines, or what was typed where there are none; an empty one is an end of file that was typed. */
  #ready: Uint8Array[] = [];
  #inputEnded = false;

  constructor(console: Console, raise: (signal: number) => void) {
    this.#console = console;
    this.#raise = raise;
  }

  get settings(): TerminalSettings {
    return this.#settings;
  }

  /** What was typed of a line is there at once for who reads no lines any more. */
  setSettings(settings: TerminalSettings): void {
    this.#take();
    this.#settings = settings;
    if (!this.#has(TERMIOS.ICANON) && this.#line.length > 0) this.#finish();
  }

  /** Sees to characters that raise signals while nobody reads; false where no more can come. */
  look(): boolean {
    const mayRaise = this.#has(TERMIOS.ISIG) && this.#ready.length < mostUnread;
    if (mayRaise) this.#take();
    return !this.#inputEnded;
  }

  /** Throws away what was typed and not read. */
  discardInput(): void {
    this.#take();
    this.#line = [];
    this.#ready = [];
  }

  get input(): 'waiting' | 'ready' | 'ended' {
    this.#take();
    if (this.#ready.length > 0) return 'ready';
    return this.#inputEnded ? 'ended' : 'waiting';
  }

  /** How many bytes a read would give. */
  get waiting(): number {
    this.#take();
    return this.#ready[0]?.length ?? 0;
  }

  /** At most one line; empty at the end of file, undefined while there is none. */
  read(count: number): Uint8Array | undefined {
    this.#take();
    if (!this.#has(TERMIOS.ICANON)) return this.#readRaw(count);
    const first = this.#ready[0];
    if (first === undefined) return this.#inputEnded ? new Uint8Array() : undefined;
    const taken = first.subarray(0, count);
    if (taken.length === first.length) this.#ready.shift();
    else this.#ready[0] = first.subarray(count);
    return taken;
  }

  #readRaw(count: number): Uint8Array | undefined {
    const all = Uint8Array.from(this.#ready.flatMap((part) => [...part]));
    const least = Math.min(this.#settings.cc[VC.MIN] ?? 1, count);
    if (all.length < least && !this.#inputEnded) return undefined;
    const rest = all.subarray(count);
    this.#ready = rest.length > 0 ? [rest] : [];
    return all.subarray(0, count);
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

  #press(typed: number): void {
    const key = this.#mapped(typed);
    if (key === undefined || this.#signals(key)) return;
    if (this.#has(TERMIOS.ICANON)) {
      this.#edit(key);
      return;
    }
    this.#ready.push(Uint8Array.of(key));
    this.#echo(key === keys.newline ? '\n' : this.#shown(key));
  }

  /** Whether it is a character that raises a signal, and has. */
  #signals(key: number): boolean {
    const { cc } = this.#settings;
    const found = [
      [VC.INTR, SIG.INT],
      [VC.QUIT, SIG.QUIT],
      [VC.SUSP, SIG.TSTP],
    ].find(([index = 0]) => key !== 0 && cc[index] === key);
    if (!this.#has(TERMIOS.ISIG) || found === undefined) return false;
    if (!this.#has(TERMIOS.NOFLSH)) {
      this.#line = [];
      this.#ready = [];
    }
    this.#echo(this.#shown(key));
    this.#raise(found[1] ?? 0);
    return true;
  }

  #edit(key: number): void {
    const { cc } = this.#settings;
    if (key === keys.newline) {
      this.#line.push(keys.newline);
      if (this.#has(TERMIOS.ECHO) || this.#has(TERMIOS.ECHONL)) this.#print('\n');
      this.#finish();
    } else if (key === cc[VC.EOF]) {
      this.#finish();
    } else if (key === cc[VC.ERASE] || key === 0x08) {
      this.#erase();
    } else if (key === cc[VC.KILL]) {
      while (this.#line.length > 0) this.#erase();
    } else if (this.#line.length < longestLine - 1) {
      this.#line.push(key);
      this.#echo(this.#shown(key));
    }
  }

  #mapped(key: number): number | undefined {
    if (key === keys.return) {
      if (this.#hasInput(TERMIOS.IGNCR)) return undefined;
      return this.#hasInput(TERMIOS.ICRNL) ? keys.newline : key;
    }
    return key === keys.newline && this.#hasInput(TERMIOS.INLCR) ? keys.return : key;
  }

  #has(flag: number): boolean {
    return (this.#settings.lflag & flag) !== 0;
  }

  #hasInput(flag: number): boolean {
    return (this.#settings.iflag & flag) !== 0;
  }

  /** One character: a UTF-8 sequence goes as a whole. */
  #erase(): void {
    let last = this.#line.pop();
    if (last === undefined) return;
    while (last !== undefined && (last & 0xc0) === 0x80) last = this.#line.pop();
    const isControl = last !== undefined && last < 0x20 && this.#has(TERMIOS.ECHOCTL);
    if (this.#has(TERMIOS.ECHOE)) this.#echo(isControl ? '\b \b\b \b' : '\b \b');
  }

  #finish(): void {
    this.#ready.push(Uint8Array.from(this.#line));
    this.#line = [];
  }

  #echo(text: string | Uint8Array): void {
    if (this.#has(TERMIOS.ECHO)) this.#print(text);
  }

  /** What the console has no room for is not echoed, as on a stopped terminal. */
  #print(text: string | Uint8Array): void {
    this.#console.write(typeof text === 'string' ? new TextEncoder().encode(text) : text);
  }

  /** Control characters as `^C`. */
  #shown(key: number): string | Uint8Array {
    return key < 0x20 && key !== 0x09 && this.#has(TERMIOS.ECHOCTL)
      ? `^${String.fromCharCode(key + 0x40)}`
      : Uint8Array.of(key);
  }
}
