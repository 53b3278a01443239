/** One node of the store, never changed: a change is a new node. And where nodes are: in the store or a transaction. */
import type { Permission } from './permissions.ts';

export interface StoreNode {
  readonly value: Uint8Array;
  /** Names, in the order in which they were made. */
  readonly children: readonly string[];
  readonly permissions: readonly Permission[];
  /** Of the last change of it, its children's list included; counts over the whole store. */
  readonly generation: number;
}

/** What is to be told of a change. */
export interface Change {
  readonly path: string;
  /** As it is now, or was until just now; where it is not given, it is looked for. */
  readonly node: StoreNode | undefined;
  /** Only to those who watch this very path: it went with one above it. */
  readonly isExact: boolean;
  /** What its permissions were before. */
  readonly before: readonly Permission[] | undefined;
}

/** The nodes as one request sees them: all of them, or those of its transaction. */
export interface Nodes {
  read(path: string): StoreNode | undefined;
  /** XenError(ENOMEM) where its owner would use too much memory, unless `isFree`. */
  write(path: string, node: Omit<StoreNode, 'generation'>, isFree?: boolean): StoreNode;
  delete(path: string): void;
  /** Tells whoever watches; within a transaction, when it ends. */
  tell(change: Change): void;
  /** Counts nodes that a domain owns. */
  count(domid: number, nodes: number): void;
  /** Something was done in part: a transaction can then not be ended well. */
  fail(): void;
}

/** As xenstored counts it: a header, each permission, the value, and each name with its NUL. */
export const sizeOf = (node: Omit<StoreNode, 'generation'>): number =>
  24 +
  8 * node.permissions.length +
  node.value.length +
  node.children.reduce((sum, name) => sum + name.length + 1, 0);
