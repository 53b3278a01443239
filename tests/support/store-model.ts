/**
 * A store so simple that it is obviously right: values by path, transactions as whole copies that are compared by what
 * they have read. No permissions, no quotas.
 */

export type ModelAction =
  | { readonly do: 'read' | 'directory' | 'remove' | 'mkdir'; readonly path: string }
  | { readonly do: 'write'; readonly path: string; readonly value: string };

interface Entry {
  value: string;
  version: number;
  /** Grows from one that is made to the next. */
  birth: number;
}
type Values = Map<string, Entry>;

interface ModelTransaction {
  readonly values: Values;
  /** Version of each place that was looked at, as it was at first; 0 where there was nothing. */
  readonly seen: Map<string, number>;
  /** In the order in which they were first met. */
  readonly met: Set<string>;
  readonly told: Map<string, 'exact' | 'all'>;
}

const parent = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')));

export class StoreModel {
  values: Values = new Map([['/', { value: '', version: 1, birth: 0 }]]);
  #version = 1;
  #births = 0;
  readonly #watches: readonly string[];
  /** What the watches were told. */
  told: string[] = [];

  constructor(watches: readonly string[]) {
    this.#watches = watches;
  }

  begin(): ModelTransaction {
    return { values: new Map(this.values), seen: new Map(), met: new Set(), told: new Map() };
  }

  /** The answer, as text. */
  act(action: ModelAction, transaction?: ModelTransaction): string {
    const { path } = action;
    this.#see(path, transaction);
    const values = transaction?.values ?? this.values;
    switch (action.do) {
      case 'read':
        return values.get(path)?.value ?? 'ENOENT';
      case 'directory':
        return values.has(path) ? children(values, path).sort().join(' ') : 'ENOENT';
      case 'remove':
        return this.#remove(path, transaction);
      case 'mkdir':
        if (values.has(path)) return 'OK';
        return this.#write(path, '', transaction);
      case 'write':
        return this.#write(path, action.value, transaction);
    }
  }

  /** Whether it happened. */
  commit(transaction: ModelTransaction): boolean {
    for (const [path, version] of transaction.seen)
      if ((this.values.get(path)?.version ?? 0) !== version) return false;
    for (const path of transaction.met) {
      const before = this.values.get(path);
      const now = transaction.values.get(path);
      if (now === undefined) this.values.delete(path);
      else if (now.version !== before?.version) this.values.set(path, now);
      const how = transaction.told.get(path);
      const isThere = now !== undefined || before !== undefined;
      if (how !== undefined && isThere) this.#tell(path, how);
    }
    return true;
  }

  /** Who looks for a place that is not there also sees what is above it. */
  #see(path: string, transaction: ModelTransaction | undefined): void {
    if (transaction === undefined) return;
    if (!transaction.met.has(path)) {
      transaction.met.add(path);
      transaction.seen.set(path, transaction.values.get(path)?.version ?? 0);
    }
    if (!transaction.values.has(path)) this.#see(parent(path), transaction);
  }

  #write(path: string, value: string, transaction: ModelTransaction | undefined): string {
    const values = transaction?.values ?? this.values;
    const isNew = !values.has(path);
    this.#put(values, path, value);
    for (let at = path; isNew && at !== '/'; at = parent(at)) {
      const above = parent(at);
      const old = values.get(above);
      this.#put(values, above, old?.value ?? '');
      if (old !== undefined) break;
    }
    this.#change(path, 'all', transaction);
    return 'OK';
  }

  #put(values: Values, path: string, value: string): void {
    const birth = values.get(path)?.birth ?? ++this.#births;
    values.set(path, { value, version: ++this.#version, birth });
  }

  #remove(path: string, transaction: ModelTransaction | undefined): string {
    const values = transaction?.values ?? this.values;
    if (!values.has(path)) return values.has(parent(path)) ? 'OK' : 'ENOENT';
    if (path === '/') return 'EINVAL';
    this.#see(parent(path), transaction);
    const above = values.get(parent(path));
    this.#removeTree(path, path, transaction);
    this.#put(values, parent(path), above?.value ?? '');
    return 'OK';
  }

  #removeTree(path: string, root: string, transaction: ModelTransaction | undefined): void {
    const values = transaction?.values ?? this.values;
    this.#see(path, transaction);
    for (const name of children(values, path))
      this.#removeTree(`${path}/${name}`, root, transaction);
    values.delete(path);
    this.#change(path, path === root ? 'all' : 'exact', transaction);
  }

  #change(path: string, how: 'exact' | 'all', transaction: ModelTransaction | undefined): void {
    if (transaction === undefined) this.#tell(path, how);
    else if (transaction.told.get(path) !== 'all') transaction.told.set(path, how);
  }

  #tell(path: string, how: 'exact' | 'all'): void {
    for (const watch of this.#watches) {
      const isBelow = watch === '/' || path === watch || path.startsWith(`${watch}/`);
      if (how === 'exact' ? path === watch : isBelow) this.told.push(`${watch}: ${path}`);
    }
  }
}

/** In the order in which they were made, which is that in which they are removed. */
const children = (values: Values, path: string): string[] => {
  const start = path === '/' ? '/' : `${path}/`;
  return [...values]
    .filter(([other]) => other !== '/' && other.startsWith(start))
    .sort(([, a], [, b]) => a.birth - b.birth)
    .map(([other]) => other.slice(start.length))
    .filter((name) => !name.includes('/'));
};
