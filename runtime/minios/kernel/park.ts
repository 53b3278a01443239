/** A call that cannot finish yet: its thread sleeps, and the kernel asks again whenever something changed. */

export class Park<T> {
  /** What it waits for, in a report's words: `input from the console`. */
  readonly what: string;
  /** The result, or undefined while there is none. May throw XenError as the call itself may. */
  readonly ask: () => T | undefined;
  /** Time of the monotonic clock at which to ask again; undefined where only an event can help. */
  readonly until: bigint | undefined;
  /** Whether anything outside of the domain could still end the wait. */
  readonly isHopeful: () => boolean;
  /**
   * What a handler of a signal does to it (signal(7)): `restart` ends it with EINTR where the handler has no SA_RESTART, `end` in any
   * case, and `wait` never.
   */
  readonly onSignal: 'restart' | 'end' | 'wait';
  /** It is ended so: the result where that is not EINTR. */
  readonly interrupted: () => T | undefined;

  constructor(parts: {
    what: string;
    ask: () => T | undefined;
    until?: bigint | undefined;
    isHopeful?: () => boolean;
    onSignal?: 'restart' | 'end' | 'wait';
    interrupted?: () => T | undefined;
  }) {
    this.what = parts.what;
    this.ask = parts.ask;
    this.until = parts.until;
    this.isHopeful = parts.isHopeful ?? (() => true);
    this.onSignal = parts.onSignal ?? 'wait';
    this.interrupted = parts.interrupted ?? (() => undefined);
  }
}

/** The result if it is there at once, else a park that waits for it. */
export function orPark<T>(parts: ConstructorParameters<typeof Park<T>>[0]): T | Park<T> {
  return parts.ask() ?? new Park(parts);
}
