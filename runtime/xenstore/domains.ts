/** The domains that there are, and what each uses of the store. */
import { XenError } from '../errors.ts';
import type { StoreNode } from './node.ts';
import type { Permission } from './permissions.ts';
import type { Quotas } from './quotas.ts';

/** One domain, as the store knows it. */
export class StoreDomain {
  readonly domid: number;
  /** The store's when the domain came: permissions that are older mean another domain of that number. */
  readonly generation: number;
  target: number | undefined;
  /** Talks with the store. */
  isIntroduced = false;
  /** Its end has been told. */
  isShutDown = false;
  nodes = 0;
  watches = 0;
  /** Bytes. */
  memory = 0;

  constructor(domid: number, generation: number) {
    this.domid = domid;
    this.generation = generation;
  }
}

export class Domains {
  readonly #quotas: Quotas;
  readonly #domains = new Map<number, StoreDomain>();

  constructor(quotas: Quotas) {
    this.#quotas = quotas;
  }

  find(domid: number): StoreDomain | undefined {
    return this.#domains.get(domid);
  }

  /** ENOENT where it is not introduced. */
  introduced(domid: number): StoreDomain {
    const domain = this.#domains.get(domid);
    if (domain?.isIntroduced === true) return domain;
    throw new XenError('ENOENT', `xenstore: domain ${domid} is not introduced`);
  }

  add(domid: number, generation: number): StoreDomain {
    const domain = new StoreDomain(domid, generation);
    this.#domains.set(domid, domain);
    return domain;
  }

  remove(domid: number): void {
    this.#domains.delete(domid);
  }

  /** XenError(ENOMEM) where a domain would use too much; what it gives back is never refused. */
  charge(domid: number, bytes: number, isFree = false): void {
    const domain = this.#domains.get(domid);
    if (domain === undefined) return;
    if (!isFree && bytes > 0 && domid !== 0 && domain.memory + bytes >= this.#quotas.memory)
      throw new XenError('ENOMEM', `xenstore: domain ${domid} uses too much memory`);
    domain.memory += bytes;
  }

  isFull(domid: number): boolean {
    return domid !== 0 && (this.#domains.get(domid)?.memory ?? 0) >= this.#quotas.memory;
  }

  /** Marks permissions of domains that are not there, or came after the node was written. */
  withoutStale(node: StoreNode | undefined): StoreNode | undefined {
    if (node === undefined) return undefined;
    const isStale = ({ domid, isIgnored }: Permission, index: number): boolean =>
      index > 0 &&
      isIgnored !== true &&
      (this.#domains.get(domid)?.generation ?? Number.POSITIVE_INFINITY) > node.generation;
    if (!node.permissions.some(isStale)) return node;
    const permissions = node.permissions.map((permission, index) =>
      isStale(permission, index) ? { ...permission, isIgnored: true as const } : permission,
    );
    return { ...node, permissions };
  }
}
