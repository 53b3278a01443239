/** The outside of a guest's console; host/ implements it, tests and the API use one in memory. */

export interface Console {
  /** A person's terminal: the guest's side then echoes and edits lines. */
  readonly isTerminal: boolean;
  /** Takes all of the bytes; or none: `full` until a change is told, `closed` for ever. */
  write(bytes: Uint8Array): 'taken' | 'full' | 'closed';
  /** At most `count` bytes that have come; empty where none are there yet; undefined at the end of input. */
  read(count: number): Uint8Array | undefined;
  /** What read would do. */
  readonly input: 'waiting' | 'ready' | 'ended';
  /** What write would do. */
  readonly output: 'open' | 'full' | 'closed';
  /** Tells, from now on, that input came or ended, or that output has room or was closed. One listener. */
  listen(changed: () => void): void;
  /** Resolves when all that was written has left. */
  flush(): Promise<void>;
}
