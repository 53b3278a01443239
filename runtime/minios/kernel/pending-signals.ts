/** Signals that have been sent and not taken: one of each, of the realtime ones as many as were sent (POSIX XSH 2.4.2). */
import {
  bit,
  SIGRTMIN,
  siginfoFault,
  siginfoFields,
  siginfoHead,
  siginfoSent,
  siginfoSize,
  siginfoTimer,
  synchronous,
} from '../abi/signal.ts';
import { failure } from '../errno.ts';

/** What a handler is told of it, by who sent it. */
export type SignalSource =
  | { readonly by: 'call'; readonly pid: number; readonly value: bigint }
  | { readonly by: 'timer'; readonly id: number; readonly value: bigint; overrun: number }
  | { readonly by: 'fault'; readonly address: bigint };

export interface SignalInfo {
  readonly signal: number;
  /** SI and the codes of faults. */
  readonly code: number;
  readonly source: SignalSource;
  /** It is taken, and may be changed before anybody sees it. */
  readonly taken?: () => void;
}

/** What sigqueue can have under way: SIGQUEUE_MAX. */
export const mostQueued = 1024;

export class PendingSignals {
  #infos: SignalInfo[] = [];

  get set(): bigint {
    return this.#infos.reduce((all, { signal }) => all | bit(signal), 0n);
  }

  /** Whether an instruction has raised one. */
  get hasFault(): boolean {
    return this.#infos.some(({ source }) => source.by === 'fault');
  }

  /** False where it is pending already, and one is enough; EAGAIN where no more can be queued. */
  add(info: SignalInfo): boolean {
    const { signal } = info;
    if (signal < SIGRTMIN && this.#infos.some((other) => other.signal === signal)) return false;
    const isFull = this.#infos.length >= mostQueued && info.source.by === 'call';
    if (isFull && signal >= SIGRTMIN) throw failure('EAGAIN', `${mostQueued} signals wait`);
    this.#infos.push(info);
    return true;
  }

  /** Whether the next of that signal is a timer's. */
  isOfTimer(signal: number): boolean {
    return this.#infos.find((info) => info.signal === signal)?.source.by === 'timer';
  }

  has(info: SignalInfo): boolean {
    return this.#infos.includes(info);
  }

  /** The first of a set: what instructions raise before all others, the lowest number, and of that the oldest. */
  take(set: bigint): SignalInfo | undefined {
    const there = this.set & set;
    if (there === 0n) return undefined;
    const first = lowest((there & synchronous) !== 0n ? there & synchronous : there);
    const at = this.#infos.findIndex(({ signal }) => signal === first);
    const [info] = this.#infos.splice(at, 1);
    info?.taken?.();
    return info;
  }

  discard(set: bigint): void {
    this.#infos = this.#infos.filter(({ signal }) => (bit(signal) & set) === 0n);
  }
}

function lowest(set: bigint): number {
  let signal = 1;
  while ((set & bit(signal)) === 0n) signal++;
  return signal;
}

export function siginfoBytes({ signal, code, source }: SignalInfo, width: 64 | 32): Uint8Array {
  const bytes = new Uint8Array(siginfoSize);
  Object.assign(siginfoHead.layout(width).at(bytes, 0), { si_signo: signal, si_code: code });
  const at = siginfoFields[width];
  if (source.by === 'call') {
    const { pid, value } = source;
    Object.assign(siginfoSent.layout(width).at(bytes, at), { si_pid: pid, si_value: value });
  } else if (source.by === 'timer') {
    const { id, overrun, value } = source;
    const fields = { si_tid: id, si_overrun: overrun, si_value: value };
    Object.assign(siginfoTimer.layout(width).at(bytes, at), fields);
  } else {
    Object.assign(siginfoFault.layout(width).at(bytes, at), { si_addr: source.address });
  }
  return bytes;
}
