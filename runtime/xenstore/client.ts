/** The store for parts of this program: as xenstore's library has it, typed, and without waiting. */
import { XenError } from '../errors.ts';
import type { Trace } from '../trace.ts';
import type { Nodes } from './node.ts';
import {
  makeNode,
  type Request,
  readNode,
  removeNode,
  setPermissions,
  writeValue,
} from './operations.ts';
import { absolute } from './path.ts';
import { formatPermission, parsePermission } from './permissions.ts';
import type { Session, Watch } from './session.ts';
import type { Store } from './store.ts';
import { eventLine, quote, requestLine } from './trace-line.ts';
import {
  addWatch,
  endTransaction,
  findTransaction,
  removeWatch,
  resetSession,
  startTransaction,
  tellFirst,
} from './watches.ts';

export type StoreValue = string | number | bigint | Uint8Array;

/** Failures are XenErrors with the errno that a guest would be told. */
export interface StoreAccess {
  /** As UTF-8. */
  read(path: string): string;
  /** undefined where there is no such node. */
  find(path: string): string | undefined;
  readBytes(path: string): Uint8Array;
  write(path: string, value: StoreValue): void;
  /** Names of its children, in the order in which they were made. */
  directory(path: string): readonly string[];
  makeDirectory(path: string): void;
  /** With all that is below. */
  remove(path: string): void;
  /** As xenstore's tools write them: `n0`, `r5`; the first is the owner's. */
  permissions(path: string): readonly string[];
  setPermissions(path: string, permissions: readonly string[]): void;
}

export interface StoreTransaction extends StoreAccess {
  /** XenError(EAGAIN) where something that was read has changed meanwhile. */
  commit(): void;
  abort(): void;
}

export interface StoreClient extends StoreAccess {
  readonly domid: number;
  /**
   * Calls once soon, and whenever the node or one below it changes, with the path of that one; never within a request.
   * The answer ends it.
   */
  watch(path: string, changed: (path: string) => void): () => void;
  /** The same as something to await. Changes that nobody has taken yet and that name the same path are one. */
  changes(path: string): AsyncIterableIterator<string>;
  /** Does it until nothing interferes. */
  transaction<T>(body: (store: StoreAccess) => T): T;
  begin(): StoreTransaction;
  /** Its watches and transactions end. */
  close(): void;
}

export interface ClientParts {
  readonly store: Store;
  readonly domid: number;
  readonly trace?: Trace | undefined;
}

/** How often a transaction is tried anew: nobody else runs while it does, so once is enough, if it is not its own foe. */
const mostAttempts = 100;

export function makeClient(parts: ClientParts): StoreClient {
  const { store, domid } = parts;
  const session = new LocalSession(parts);
  store.sessions.add(session);
  const access = (id: number, nodes: () => Nodes): StoreAccess =>
    accessTo(parts, id, () => ({ store, session, nodes: nodes() }));
  const begin = (): StoreTransaction => {
    const id = traced(parts, 'TRANSACTION_START', 0, [], () => startTransaction(store, session));
    const end = (isToHappen: boolean): void =>
      traced(parts, 'TRANSACTION_END', id, [isToHappen ? 'T' : 'F'], () =>
        endTransaction(session, id, isToHappen),
      );
    return {
      ...access(id, () => findTransaction(session, id)),
      commit: () => end(true),
      abort: () => end(false),
    };
  };
  const watch = (path: string, changed: (path: string) => void): (() => void) =>
    session.watch(path, changed);
  return {
    domid,
    ...access(0, () => store),
    watch,
    changes: (path) => changesOf(watch, path),
    transaction: (body) => transact(begin, body),
    begin,
    close: () => {
      resetSession(store, session);
      store.sessions.delete(session);
    },
  };
}

function transact<T>(begin: () => StoreTransaction, body: (store: StoreAccess) => T): T {
  for (let attempt = 1; ; attempt++) {
    const transaction = begin();
    let result: T;
    try {
      result = body(transaction);
    } catch (error) {
      transaction.abort();
      throw error;
    }
    try {
      transaction.commit();
      return result;
    } catch (error) {
      const isLate = error instanceof XenError && error.errno === 'EAGAIN';
      if (!isLate || attempt === mostAttempts) throw error;
    }
  }
}

function accessTo(parts: ClientParts, id: number, request: () => Request): StoreAccess {
  const place = (path: string): string => absolute(path, parts.domid);
  const call = <T>(name: string, args: readonly string[], body: () => T): T =>
    traced(parts, name, id, args, body);
  const readBytes = (path: string): Uint8Array =>
    call('READ', [path], () => readNode(request(), place(path)).value);
  const read = (path: string): string => new TextDecoder().decode(readBytes(path));
  return {
    read,
    readBytes: (path) => readBytes(path).slice(),
    find: (path) => {
      try {
        return read(path);
      } catch (error) {
        if (error instanceof XenError && error.errno === 'ENOENT') return undefined;
        throw error;
      }
    },
    write: (path, value) => {
      const bytes =
        value instanceof Uint8Array ? value.slice() : new TextEncoder().encode(String(value));
      const shown = new TextDecoder().decode(bytes);
      call('WRITE', [path, shown], () => writeValue(request(), place(path), bytes));
    },
    directory: (path) => call('DIRECTORY', [path], () => readNode(request(), place(path)).children),
    makeDirectory: (path) => call('MKDIR', [path], () => makeNode(request(), place(path))),
    remove: (path) => call('RM', [path], () => removeNode(request(), place(path))),
    permissions: (path) =>
      call('GET_PERMS', [path], () =>
        readNode(request(), place(path)).permissions.map(formatPermission),
      ),
    setPermissions: (path, permissions) =>
      call('SET_PERMS', [path, ...permissions], () =>
        setPermissions(request(), place(path), permissions.map(parsePermission)),
      ),
  };
}

/** Does it as one request, and shows it to whoever traces. */
function traced<T>(
  { store, domid, trace }: ClientParts,
  name: string,
  id: number,
  args: readonly string[],
  body: () => T,
): T {
  const tell = (outcome: () => string): void =>
    trace?.({
      kind: 'xenstore',
      text: requestLine(domid, name, id, args.map(quote).join(', '), outcome()),
    });
  return store.perform(() => {
    try {
      const result = body();
      tell(() => shown(result));
      return result;
    } catch (error) {
      if (error instanceof XenError) tell(() => error.errno);
      throw error;
    }
  });
}

function shown(result: unknown): string {
  if (result === undefined) return 'OK';
  if (result instanceof Uint8Array) return quote(new TextDecoder().decode(result));
  return Array.isArray(result) ? result.map((one) => quote(String(one))).join(', ') : `${result}`;
}

/** The events of a part of this program wait until the request that made them is done. */
class LocalSession implements Session {
  readonly domid: number;
  readonly isPrivileged: boolean;
  watches: Watch[] = [];
  readonly transactions: Session['transactions'] = new Map();
  nextTransaction = 1;
  readonly #parts: ClientParts;
  /** By token. */
  readonly #listeners = new Map<string, (path: string) => void>();
  #events: { readonly path: string; readonly token: string }[] = [];
  #nextToken = 1;

  constructor(parts: ClientParts) {
    this.#parts = parts;
    this.domid = parts.domid;
    this.isPrivileged = parts.domid === 0;
  }

  get target(): number | undefined {
    return this.#parts.store.domains.find(this.domid)?.target;
  }

  watch(path: string, changed: (path: string) => void): () => void {
    const { store } = this.#parts;
    const token = String(this.#nextToken++);
    traced(this.#parts, 'WATCH', 0, [path, token], () => {
      const watch = addWatch(store, this, path, token);
      this.#listeners.set(token, changed);
      tellFirst(store, this, watch);
    });
    return () => {
      if (!this.#listeners.delete(token)) return;
      if (this.watches.some((watch) => watch.token === token))
        traced(this.#parts, 'UNWATCH', 0, [path, token], () =>
          removeWatch(store, this, path, token),
        );
    };
  }

  deliver(path: string, token: string): void {
    const isThere = this.#events.some((event) => event.path === path && event.token === token);
    if (!isThere || path.startsWith('@')) this.#events.push({ path, token });
  }

  flush(): void {
    const { trace } = this.#parts;
    for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
      const listener = this.#listeners.get(event.token);
      if (listener === undefined) continue;
      const { path, token } = event;
      trace?.({
        kind: 'xenstore',
        text: eventLine(this.domid, `${quote(path)}, ${quote(token)}`),
      });
      listener(path);
    }
  }
}

async function* changesOf(
  watch: StoreClient['watch'],
  place: string,
): AsyncGenerator<string, void, undefined> {
  const waiting = new Set<string>();
  let wake = (): void => {};
  const stop = watch(place, (path) => {
    waiting.add(path);
    wake();
  });
  try {
    for (;;) {
      for (const path of waiting) {
        waiting.delete(path);
        yield path;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (waiting.size > 0) resolve();
      });
    }
  } finally {
    stop();
  }
}
