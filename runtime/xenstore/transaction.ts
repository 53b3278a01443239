/**
 * A transaction: it sees the store as it was when it began, and what it has written itself. It ends well where all that
 * it has read is still as it was; else nothing of it happens (EAGAIN).
 */
import { XenError } from '../errors.ts';
import { type Change, type Nodes, type StoreNode, sizeOf } from './node.ts';
import type { Permission, Subject } from './permissions.ts';
import type { Store } from './store.ts';

interface Accessed {
  /** The store's generation of it when it was met; undefined where there was none. */
  readonly generation: number | undefined;
  readonly before: readonly Permission[] | undefined;
  now: StoreNode | undefined;
  isModified: boolean;
  tells: 'nobody' | 'exact' | 'all';
}

export class Transaction implements Nodes {
  readonly #store: Store;
  readonly #subject: Subject;
  /** What the store had when this began, of what has changed since. */
  readonly #kept = new Map<string, StoreNode | undefined>();
  readonly #keepNoMore: () => void;
  /** In the order in which they were first met, which is that of the events. */
  readonly #accessed = new Map<string, Accessed>();
  /** Nodes more or fewer, by owner. */
  readonly #counts = new Map<number, number>();
  #hasCreated = false;
  #hasFailed = false;
  #bytes = 0;

  constructor(store: Store, subject: Subject) {
    this.#store = store;
    this.#subject = subject;
    store.nextGeneration();
    this.#keepNoMore = store.keepFor(this);
  }

  keep(path: string, node: StoreNode | undefined): void {
    if (!this.#kept.has(path)) this.#kept.set(path, node);
  }

  read(path: string): StoreNode | undefined {
    return this.#access(path).now;
  }

  write(path: string, node: Omit<StoreNode, 'generation'>, isFree = false): StoreNode {
    const accessed = this.#access(path);
    this.#charge(accessed.now, path, -1);
    const now = { ...node, generation: this.#store.nextGeneration() };
    try {
      this.#charge(now, path, 1, isFree);
    } catch (error) {
      this.#charge(accessed.now, path, 1);
      throw error;
    }
    accessed.now = now;
    accessed.isModified = true;
    return now;
  }

  delete(path: string): void {
    const accessed = this.#access(path);
    this.#charge(accessed.now, path, -1);
    accessed.now = undefined;
    accessed.isModified = true;
  }

  tell({ path, isExact }: Change): void {
    const accessed = this.#access(path);
    if (accessed.tells !== 'all') accessed.tells = isExact ? 'exact' : 'all';
  }

  count(domid: number, nodes: number): void {
    this.#counts.set(domid, (this.#counts.get(domid) ?? 0) + nodes);
    if (nodes > 0) this.#hasCreated = true;
  }

  fail(): void {
    this.#hasFailed = true;
  }

  /** XenError: ENOMEM where a part of it failed, ENOSPC by the domain's quota, EAGAIN where it comes too late. */
  commit(): void {
    if (this.#hasFailed) throw new XenError('ENOMEM', 'xenstore: the transaction has failed');
    this.#checkCounts();
    for (const [path, { generation }] of this.#accessed)
      if (this.#store.generationOf(path) !== generation)
        throw new XenError('EAGAIN', `xenstore: ${path} has changed`);
    for (const [path, accessed] of this.#accessed) this.#apply(path, accessed);
    for (const [domid, nodes] of this.#counts) this.#store.count(domid, nodes);
  }

  /** Gives back what it used; to be called at its end, however it ends. */
  close(): void {
    this.#keepNoMore();
    this.#store.domains.charge(this.#subject.domid, -this.#bytes, true);
    this.#bytes = 0;
  }

  #apply(path: string, { now, before, isModified, tells, generation }: Accessed): void {
    if (!isModified) return;
    if (now !== undefined) this.#store.write(path, now, true);
    else if (generation !== undefined) this.#store.delete(path);
    if (tells !== 'nobody')
      this.#store.tell({ path, node: undefined, isExact: tells === 'exact', before });
  }

  #checkCounts(): void {
    const { domains, quotas } = this.#store;
    for (const [domid, more] of this.#counts) {
      const domain = domains.find(domid);
      if (domain === undefined)
        throw new XenError('ENOMEM', `xenstore: domain ${domid} is no more`);
      const isBounded = this.#hasCreated && !this.#subject.isPrivileged && domid !== 0;
      if (isBounded && domain.nodes + more >= quotas.nodes)
        throw new XenError('ENOSPC', `xenstore: domain ${domid} has too many nodes`);
    }
  }

  #access(path: string): Accessed {
    const known = this.#accessed.get(path);
    if (known !== undefined) return known;
    if (!this.#subject.isPrivileged && this.#accessed.size >= this.#store.quotas.transactionNodes) {
      this.#hasFailed = true;
      throw new XenError('ENOSPC', 'xenstore: the transaction meets too many nodes');
    }
    const now = this.#kept.has(path)
      ? this.#store.domains.withoutStale(this.#kept.get(path))
      : this.#store.read(path);
    const accessed: Accessed = {
      generation: now?.generation,
      before: now?.permissions,
      now,
      isModified: false,
      tells: 'nobody',
    };
    this.#charge(now, path, 1, true);
    this.#accessed.set(path, accessed);
    return accessed;
  }

  #charge(node: StoreNode | undefined, path: string, sign: 1 | -1, isFree = true): void {
    if (node === undefined) return;
    const bytes = sign * (sizeOf(node) + path.length);
    this.#store.domains.charge(this.#subject.domid, bytes, isFree);
    this.#bytes += bytes;
  }
}
