/** The host's end of an interdomain event channel: how a back-end and a guest's front-end wake each other. */

export interface EventPort {
  /** Makes the guest's end pending. Nothing where the guest has closed it. */
  notify(): void;
  /** Calls when the guest has sent; events that come before the call has returned are one. */
  listen(onEvent: () => void): void;
  /** The guest finds its end unbound. */
  close(): void;
}

/** Event channels as a back-end finds them. */
export interface EventPorts {
  /** Binds to a port that the guest has allocated for us; XenError(EINVAL) where it has not. */
  bind(port: number): EventPort;
}
