/** A guest's console on this process's stdin and stdout: a raw terminal that Ctrl-] leaves, or pipes and files. */
import { ByteQueue } from '../../backends/console/byte-queue.ts';
import type { Console } from '../../backends/console/console.ts';

/** Ctrl-], as in xl. */
const leaveKey = 0x1d;
/** Input that nobody reads is left in the pipe beyond this. */
const mostInput = 64 * 1024;

export interface StandardStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
}

export class TerminalConsole implements Console {
  readonly isTerminal: boolean;
  readonly #stdin: NodeJS.ReadStream;
  readonly #stdout: NodeJS.WriteStream;
  readonly #leave: () => void;
  readonly #queue = new ByteQueue();
  #changed = (): void => {};
  #isReading = false;
  #isEnded = false;
  #output: 'open' | 'full' | 'closed' = 'open';

  /** `leave` is called when the person presses Ctrl-]. */
  constructor({ stdin, stdout }: StandardStreams, leave: () => void) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#leave = leave;
    this.isTerminal = stdin.isTTY === true && stdout.isTTY === true;
    stdout.on('drain', this.#onDrain);
    stdout.on('error', this.#onOutputError);
    stdout.on('close', this.#onOutputError);
    if (this.isTerminal) {
      stdin.setRawMode(true);
      this.#startReading();
    }
  }

  write(bytes: Uint8Array): 'taken' | 'full' | 'closed' {
    if (this.#output !== 'open') return this.#output;
    if (!this.#stdout.write(bytes)) this.#output = 'full';
    return 'taken';
  }

  read(count: number): Uint8Array | undefined {
    this.#startReading();
    if (this.#queue.length === 0 && this.#isEnded) return undefined;
    const bytes = this.#queue.take(count);
    if (this.#queue.length < mostInput && this.#stdin.isPaused()) this.#stdin.resume();
    return bytes;
  }

  get input(): 'waiting' | 'ready' | 'ended' {
    this.#startReading();
    return this.#queue.length > 0 ? 'ready' : this.#isEnded ? 'ended' : 'waiting';
  }

  get output(): 'open' | 'full' | 'closed' {
    return this.#output;
  }

  listen(changed: () => void): void {
    this.#changed = changed;
  }

  async flush(): Promise<void> {
    if (this.#output === 'closed' || this.#stdout.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#stdout.once('close', resolve);
      this.#stdout.write('', () => resolve());
    });
  }

  /** Gives the streams back as they were. */
  close(): void {
    this.#stdin.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onEnd);
    this.#stdout.off('drain', this.#onDrain).off('close', this.#onOutputError);
    if (this.isTerminal) this.#stdin.setRawMode(false);
    if (this.#isReading) this.#stdin.pause();
  }

  /** Of a pipe or file nothing is taken before the guest asks, so that what follows in a script still finds it. */
  #startReading(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#stdin.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onEnd);
  }

  readonly #onData = (bytes: Buffer): void => {
    const leaveAt = this.isTerminal ? bytes.indexOf(leaveKey) : -1;
    this.#queue.push(new Uint8Array(leaveAt < 0 ? bytes : bytes.subarray(0, leaveAt)));
    if (this.#queue.length >= mostInput && !this.isTerminal) this.#stdin.pause();
    this.#changed();
    if (leaveAt >= 0) this.#leave();
  };

  readonly #onEnd = (): void => {
    this.#isEnded = true;
    this.#changed();
  };

  readonly #onDrain = (): void => {
    if (this.#output === 'full') this.#output = 'open';
    this.#changed();
  };

  /** The listener stays: an error that comes when all is over must not end the process with a stack trace. */
  readonly #onOutputError = (): void => {
    this.#output = 'closed';
    this.#changed();
  };
}
