/** The netif back-end (xen/io/netif.h): moves frames between one front-end's rings and a link. */
import type { Clock } from '../../domain/clock.ts';
import type { EventPort } from '../../domain/event-port.ts';
import type { GrantedMemory } from '../../domain/granted-memory.ts';
import { XenError } from '../../errors.ts';
import type { MachineMemory } from '../../memory/machine-memory.ts';
import type { Frame, Link } from '../../network/frame.ts';
import type { Trace } from '../../trace.ts';
import { frameText } from './frame-text.ts';
import { Receiver, type ReceiverFeatures } from './receiver.ts';
import { Transmitter } from './transmitter.ts';

/** How long a front-end is served before the host's event loop has a turn. */
const mostAtOnce = 2_000_000n;

export interface NetBackendParts {
  /** In traces: `vif1.0`. */
  readonly name: string;
  readonly memory: MachineMemory;
  readonly granted: GrantedMemory;
  /** One port may be both. */
  readonly ports: { readonly transmit: EventPort; readonly receive: EventPort };
  /** Host offsets of the rings, mapped for as long as this lives. */
  readonly pages: { readonly transmit: number; readonly receive: number };
  readonly features: ReceiverFeatures;
  readonly link: Link;
  readonly clock: Clock;
  readonly trace?: Trace | undefined;
  /** The front-end counts what cannot be: its rings are not looked at any more. */
  onBroken(reason: string): void;
}

export class NetBackend {
  readonly #parts: NetBackendParts;
  readonly #transmitter: Transmitter;
  readonly #receiver: Receiver;
  #state: 'open' | 'broken' | 'closed' = 'open';
  /** What is sent may be answered at once; that must not begin it anew. */
  #isServing = false;
  #awaitsTurn = false;

  constructor(parts: NetBackendParts) {
    const { memory, granted, pages, ports, features, link } = parts;
    this.#parts = parts;
    this.#transmitter = new Transmitter({
      ...{ memory, granted, page: pages.transmit },
      send: (frame) => this.#send(frame),
    });
    this.#receiver = new Receiver({ memory, granted, page: pages.receive, features });
    ports.transmit.listen(() => this.serve());
    if (ports.receive !== ports.transmit) ports.receive.listen(() => this.serve());
    link.listen((frame) => this.#receive(frame));
  }

  /** Takes what frames there are, and brings what waits. */
  serve(): void {
    if (this.#isServing || this.#awaitsTurn || this.#state !== 'open') return;
    this.#isServing = true;
    this.#guarded(() => this.#transmit());
    this.#isServing = false;
    this.#guarded(() => this.#fill());
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    const { ports, link } = this.#parts;
    link.listen(() => {});
    ports.transmit.close();
    if (ports.receive !== ports.transmit) ports.receive.close();
  }

  #transmit(): void {
    const { clock, ports } = this.#parts;
    const until = clock.monotonic() + mostAtOnce;
    try {
      while (this.#transmitter.takeOne())
        if (clock.monotonic() >= until) {
          this.#goOnNextTurn();
          break;
        }
    } finally {
      if (this.#transmitter.push()) ports.transmit.notify();
    }
  }

  #goOnNextTurn(): void {
    this.#awaitsTurn = true;
    void this.#parts.clock.turn().then(() => {
      this.#awaitsTurn = false;
      this.serve();
    });
  }

  #send(frame: Frame): void {
    const { link, name, trace } = this.#parts;
    trace?.({ kind: 'net', text: frameText(name, 'sends', frame) });
    link.send(frame);
  }

  #receive(frame: Frame): void {
    if (this.#state !== 'open') return;
    const { name, trace } = this.#parts;
    trace?.({ kind: 'net', text: frameText(name, 'gets', frame) });
    this.#receiver.add(frame);
    if (!this.#isServing) this.#guarded(() => this.#fill());
  }

  #fill(): void {
    if (this.#state === 'open' && this.#receiver.fill()) this.#parts.ports.receive.notify();
  }

  /** What is the guest's fault ends its device, nothing else. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
      this.#state = 'broken';
      this.#parts.onBroken(error.message);
    }
  }
}
