/** A client of the store: a domain through its ring, or a part of this program. */
import type { Subject } from './permissions.ts';
import type { Transaction } from './transaction.ts';

export interface Watch {
  readonly path: string;
  readonly token: string;
  /** It was asked for relative to this, and so are its events. */
  readonly base: string | undefined;
}

export interface Session extends Subject {
  watches: Watch[];
  readonly transactions: Map<number, Transaction>;
  nextTransaction: number;
  /** Takes an event, to hand it on when it is flushed. */
  deliver(path: string, token: string): void;
  /** Hands on what has come, as far as it can. */
  flush(): void;
}
