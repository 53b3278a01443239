/** What an unprivileged domain may use of the store: the limits that Xen's own xenstored starts with. */
import { XENSTORE_REL_PATH_MAX } from '../abi/io/xs-wire.ts';

export interface Quotas {
  /** Nodes that a domain owns. */
  readonly nodes: number;
  readonly watches: number;
  /** Bytes of a node: its value, the names of its children, and what describes them. */
  readonly nodeSize: number;
  readonly transactions: number;
  readonly permissions: number;
  /** Nodes that one transaction reads or writes. */
  readonly transactionNodes: number;
  readonly path: number;
  /** Replies that a domain has not taken yet. */
  readonly outstanding: number;
  /** Bytes of all that is kept for a domain. */
  readonly memory: number;
}

export const defaultQuotas: Quotas = {
  nodes: 1000,
  watches: 128,
  nodeSize: 2048,
  transactions: 10,
  permissions: 5,
  transactionNodes: 1024,
  path: XENSTORE_REL_PATH_MAX,
  outstanding: 20,
  memory: 2.5 * 2 ** 20,
};
