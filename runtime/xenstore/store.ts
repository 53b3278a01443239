/** The store itself: its nodes, the domains and clients that use it, and who hears of a change. */
import { XenError } from '../errors.ts';
import { Domains } from './domains.ts';
import { type Change, type Nodes, type StoreNode, sizeOf } from './node.ts';
import { isAtOrBelow, parentOf } from './path.ts';
import { may, ownerOf, type Permission } from './permissions.ts';
import type { Quotas } from './quotas.ts';
import type { Session } from './session.ts';

/** Events that are no path. */
export type SpecialEvent = '@introduceDomain' | '@releaseDomain';

const nobody: readonly Permission[] = [{ domid: 0, read: false, write: false }];

export class Store implements Nodes {
  readonly quotas: Quotas;
  readonly domains: Domains;
  readonly sessions = new Set<Session>();
  readonly #nodes = new Map<string, StoreNode>();
  /** Who may watch the special events. */
  readonly #special = new Map<string, readonly Permission[]>([
    ['@introduceDomain', nobody],
    ['@releaseDomain', nobody],
  ]);
  #generation = 0;
  /** Transactions, which still see what was there when they began. */
  readonly #open = new Set<{ keep(path: string, node: StoreNode | undefined): void }>();
  /** Those that have events to hand on. */
  readonly #unflushed = new Set<Session>();
  #depth = 0;

  constructor(quotas: Quotas) {
    this.quotas = quotas;
    this.domains = new Domains(quotas);
    this.domains.add(0, 0).isIntroduced = true;
    const initial: readonly (readonly [string, readonly string[]])[] = [
      ['/', ['tool']],
      ['/tool', ['xenstored']],
      ['/tool/xenstored', []],
    ];
    for (const [path, children] of initial)
      this.write(path, { value: new Uint8Array(), children, permissions: nobody });
    this.count(0, initial.length);
  }

  get generation(): number {
    return this.#generation;
  }

  nextGeneration(): number {
    return ++this.#generation;
  }

  read(path: string): StoreNode | undefined {
    return this.domains.withoutStale(this.#nodes.get(path));
  }

  generationOf(path: string): number | undefined {
    return this.#nodes.get(path)?.generation;
  }

  write(path: string, node: Omit<StoreNode, 'generation'>, isFree = false): StoreNode {
    const written = { ...node, generation: this.#generation + 1 };
    const old = this.#nodes.get(path);
    this.#charge(path, old, -1);
    try {
      this.domains.charge(ownerOf(node.permissions), sizeOf(node) + path.length, isFree);
    } catch (error) {
      this.#charge(path, old, 1);
      throw error;
    }
    this.#generation++;
    this.#keep(path, old);
    this.#nodes.set(path, written);
    return written;
  }

  delete(path: string): void {
    const old = this.#nodes.get(path);
    this.#charge(path, old, -1);
    this.#generation++;
    this.#keep(path, old);
    this.#nodes.delete(path);
  }

  /** Is told of each node that changes, as it was before. The answer ends it. */
  keepFor(transaction: { keep(path: string, node: StoreNode | undefined): void }): () => void {
    this.#open.add(transaction);
    return () => this.#open.delete(transaction);
  }

  #keep(path: string, old: StoreNode | undefined): void {
    for (const transaction of this.#open) transaction.keep(path, old);
  }

  #charge(path: string, node: StoreNode | undefined, sign: 1 | -1): void {
    if (node === undefined) return;
    const bytes = sizeOf(node) + path.length;
    this.domains.charge(ownerOf(node.permissions), sign * bytes, true);
  }

  count(domid: number, nodes: number): void {
    const domain = this.domains.find(domid);
    if (domain !== undefined) domain.nodes += nodes;
  }

  /** A request outside of transactions is undone by whoever does it. */
  fail(): void {}

  tell(change: Change): void {
    const { path, isExact } = change;
    for (const session of this.sessions) {
      const watches = session.watches.filter((watch) =>
        isExact ? watch.path === path : isAtOrBelow(path, watch.path),
      );
      if (watches.length === 0 || !this.#maySee(session, change)) continue;
      for (const { base, token } of watches)
        this.deliver(session, base === undefined ? path : path.slice(base.length + 1), token);
    }
  }

  /** Whoever may read the node, before or now, or the one above it. */
  #maySee(session: Session, { path, node, before }: Change): boolean {
    if (before !== undefined && may(session, before, 'read')) return true;
    const now = node ?? this.read(path);
    if (now === undefined) return false;
    if (may(session, now.permissions, 'read')) return true;
    const parent = this.read(parentOf(path));
    return parent !== undefined && may(session, parent.permissions, 'read');
  }

  tellSpecial(event: SpecialEvent): void {
    const permissions = this.#special.get(event) ?? nobody;
    for (const session of this.sessions)
      if (may(session, permissions, 'read'))
        for (const { path, token } of session.watches)
          if (path === event) this.deliver(session, event, token);
  }

  special(name: string): readonly Permission[] {
    const permissions = this.#special.get(name);
    if (permissions !== undefined) return permissions;
    throw new XenError('EINVAL', `xenstore: no special path: ${name}`);
  }

  setSpecial(name: string, permissions: readonly Permission[]): void {
    this.special(name);
    this.#special.set(name, permissions);
  }

  /** The domain is no more: it owns and sees none of the special events. */
  forgetSpecial(domid: number): void {
    for (const [name, permissions] of this.#special) {
      const owner = permissions[0] ?? nobody[0];
      const first = owner?.domid === domid ? { ...owner, domid: 0 } : owner;
      const rest = permissions.slice(1).filter((permission) => permission.domid !== domid);
      this.#special.set(name, first === undefined ? rest : [first, ...rest]);
    }
  }

  deliver(session: Session, path: string, token: string): void {
    session.deliver(path, token);
    this.#unflushed.add(session);
  }

  /** Does one thing; when the outermost is done, all that are to hear of it do. */
  perform<T>(body: () => T): T {
    this.#depth++;
    try {
      return body();
    } finally {
      if (this.#depth === 1) this.#flush();
      this.#depth--;
    }
  }

  /** Those who hear may change the store in turn, and that is told here as well. */
  #flush(): void {
    for (const session of this.#unflushed) {
      this.#unflushed.delete(session);
      if (this.sessions.has(session)) session.flush();
    }
  }
}
