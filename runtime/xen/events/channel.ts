/** The states of an event channel, and what one end of an interdomain channel is for the other. */

/** The other end, in a guest or in the host. */
export interface RemoteEnd {
  readonly domid: number;
  readonly port: number;
  /** An event has been sent to it. */
  notify(): void;
  /** This end has been closed: it is unbound again, for us to bind. */
  unbind(): void;
}

export type Channel =
  | { readonly state: 'free' }
  /** Port 0, which no guest ever has. */
  | { readonly state: 'reserved' }
  /** Waits for that domain to bind. */
  | { readonly state: 'unbound'; readonly domid: number }
  | { readonly state: 'interdomain'; readonly remote: RemoteEnd }
  | { readonly state: 'virq'; readonly virq: number }
  | { readonly state: 'ipi' };

/** A domain as others bind to its ports. */
export interface EventPeer {
  /** Whether Xen has made room for the port. */
  isValid(port: number): boolean;
  /**
   * Binds a port of its own that waits for the asking domain to the end that asks; what this end is for it. Undefined where there
   * is none such.
   */
  accept(port: number, end: RemoteEnd): RemoteEnd | undefined;
}

/** Domains by number; undefined where there is none. */
export type EventPeers = (domid: number) => EventPeer | undefined;
