/**
 * Event channels as a domain's kernel uses them where that kernel is in here: EVTCHNOP of xen/include/public/event_channel.h
 * without hypercalls. Failures are XenErrors with Xen's errno.
 */

export interface DomainEvents {
  allocateUnbound(remote: number): number;
  /** The port is pending at once, since events may have been sent before. */
  bindInterdomain(remoteDomain: number, remotePort: number): number;
  bindVirq(virq: number, vcpu: number): number;
  close(port: number): void;
  send(port: number): void;
  unmask(port: number): void;
}

/** Pending and mask bits of a domain's ports, wherever its kernel keeps them. */
export interface PortBits {
  setPending(port: number): void;
  clearPending(port: number): void;
  /** What came while the port was masked is told now. */
  unmask(port: number): void;
}
