/** Pending and mask bits of an application's event channels, which on Xen lie in shared_info. All ports are masked at first. */
import type { PortBits } from '../../domain/domain-events.ts';

export class Ports implements PortBits {
  readonly #pending = new Set<number>();
  readonly #open = new Set<number>();
  /** Hears of a port that is pending and not masked. */
  onReady: (port: number) => void = () => {};

  isReady(port: number): boolean {
    return this.#open.has(port) && this.#pending.has(port);
  }

  setPending(port: number): void {
    this.#pending.add(port);
    if (this.isReady(port)) this.onReady(port);
  }

  clearPending(port: number): void {
    this.#pending.delete(port);
  }

  mask(port: number): void {
    this.#open.delete(port);
  }

  unmask(port: number): void {
    this.#open.add(port);
    if (this.isReady(port)) this.onReady(port);
  }
}
