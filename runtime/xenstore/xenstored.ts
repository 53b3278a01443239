/** The store's daemon: what the rest of the machine has of it. Domains come and go; each talks through a ring, or in here. */
import { XenError } from '../errors.ts';
import type { Trace } from '../trace.ts';
import { makeClient, type StoreClient } from './client.ts';
import type { StoreDomain } from './domains.ts';
import { MessageSession } from './message-session.ts';
import { removeTree } from './operations.ts';
import { childOf } from './path.ts';
import { ownerOf } from './permissions.ts';
import { defaultQuotas, type Quotas } from './quotas.ts';
import type { Administration } from './requests.ts';
import type { StoreRing } from './ring-page.ts';
import { RingSession } from './ring-session.ts';
import { Store } from './store.ts';
import { resetSession } from './watches.ts';

export interface XenstoredParts {
  /** Those of Xen, where they are not given. */
  readonly quotas?: Partial<Quotas>;
  readonly trace?: Trace | undefined;
  /** The ring of a domain that a guest introduces; XenError where there is none. */
  readonly findRing?: (domid: number, port: number) => StoreRing;
}

export class Xenstored implements Administration {
  readonly #parts: XenstoredParts;
  readonly #store: Store;
  readonly #rings = new Map<number, RingSession>();

  constructor(parts: XenstoredParts = {}) {
    this.#parts = parts;
    this.#store = new Store({ ...defaultQuotas, ...parts.quotas });
  }

  /** Another client for a part of this program; privileged as domain 0, or with the rights of the domain it stands for. */
  connect(domid = 0): StoreClient {
    if (this.#store.domains.find(domid) === undefined)
      throw new XenError('ENOENT', `xenstore: there is no domain ${domid}`);
    return makeClient({ store: this.#store, domid, trace: this.#parts.trace });
  }

  /** How a domain whose kernel is in here talks with the store, once it is served; `changed` says that events wait. */
  converse(domid: number, changed: () => void): MessageSession {
    if (this.#store.domains.find(domid) === undefined)
      throw new XenError('ENOENT', `xenstore: there is no domain ${domid}`);
    const { trace } = this.#parts;
    const store = this.#store;
    const session = new MessageSession({ store, domid, administration: this, trace, changed });
    store.sessions.add(session);
    return session;
  }

  /** There is a domain of that number now; nodes may name it from here on. */
  addDomain(domid: number): void {
    const { domains, generation } = this.#store;
    if (domains.find(domid) !== undefined)
      throw new XenError('EEXIST', `xenstore: there is a domain ${domid} already`);
    domains.add(domid, generation);
  }

  /** The domain may talk with the store: through a ring, or, where its kernel is in here, through `connect`. */
  serve(domid: number, ring?: StoreRing): void {
    this.#store.perform(() => {
      const domain = this.#store.domains.find(domid);
      if (domain === undefined)
        throw new XenError('ENOENT', `xenstore: there is no domain ${domid}`);
      if (ring !== undefined) this.#connect(domid, ring);
      if (domain.isIntroduced) return;
      domain.isIntroduced = true;
      domain.isShutDown = false;
      this.#store.tellSpecial('@introduceDomain');
    });
  }

  #connect(domid: number, ring: StoreRing): void {
    const store = this.#store;
    const parts = { store, domid, administration: this, trace: this.#parts.trace };
    const session = this.#rings.get(domid) ?? new RingSession(parts);
    session.connect(ring);
    this.#rings.set(domid, session);
    store.sessions.add(session);
  }

  introduce(domid: number, port: number): void {
    const { findRing } = this.#parts;
    if (findRing === undefined)
      throw new XenError('EINVAL', `xenstore: domain ${domid} has no ring`);
    this.serve(domid, findRing(domid, port));
  }

  isIntroduced(domid: number): boolean {
    return this.#store.domains.find(domid)?.isIntroduced === true;
  }

  /** What a domain uses now, by the quotas. */
  usage(domid: number): Pick<StoreDomain, 'nodes' | 'watches' | 'memory'> {
    const domain = this.#store.domains.find(domid);
    if (domain === undefined) throw new XenError('ENOENT', `xenstore: there is no domain ${domid}`);
    const { nodes, watches, memory } = domain;
    return { nodes, watches, memory };
  }

  /** The store talks with it no more; it may be introduced again, as a domain that has just come. */
  release(domid: number): void {
    this.#store.domains.introduced(domid);
    this.removeDomain(domid);
    this.addDomain(domid);
  }

  /** The domain has shut down or crashed: whoever watches for that hears of it, once. */
  shutDown(domid: number): void {
    const domain = this.#store.domains.introduced(domid);
    if (domain.isShutDown) return;
    domain.isShutDown = true;
    this.#store.perform(() => this.#store.tellSpecial('@releaseDomain'));
  }

  /** It runs again; its next end will be told. */
  resume(domid: number): void {
    this.#store.domains.introduced(domid).isShutDown = false;
  }

  setTarget(domid: number, target: number): void {
    this.#store.domains.introduced(target);
    this.#store.domains.introduced(domid).target = target;
  }

  /** The domain is no more: what it owned goes, with all below it. */
  removeDomain(domid: number): void {
    const domain = this.#store.domains.find(domid);
    if (domain === undefined || domid === 0) return;
    this.#store.perform(() => {
      for (const session of this.#store.sessions)
        if (session.domid === domid) {
          resetSession(this.#store, session);
          this.#store.sessions.delete(session);
        }
      this.#rings.get(domid)?.close();
      this.#rings.delete(domid);
      this.#removeOwned(domid, '/');
      this.#store.forgetSpecial(domid);
      this.#store.domains.remove(domid);
      if (domain.isIntroduced) this.#store.tellSpecial('@releaseDomain');
    });
  }

  #removeOwned(domid: number, path: string): void {
    const node = this.#store.read(path);
    if (node === undefined) return;
    if (ownerOf(node.permissions) === domid && path !== '/') removeTree(this.#store, path);
    else for (const name of node.children) this.#removeOwned(domid, childOf(path, name));
  }
}
