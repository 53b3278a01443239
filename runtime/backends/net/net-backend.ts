/** The netif back-end (xen/io/netif.h): moves frames between one front-end's rings and a link. */
import type { Clock } from '../../domain/clock.ts';
import type { EventPort } from '../../domain/event-port.ts';
import type { GrantedMemory } from '../../domain/granted-memory.ts';
import type { MachineMemory } from '../../memory/machine-memory.ts';
import type { Frame, Link } from '../../network/frame.ts';
import type { Trace } from '../../trace.ts';
import { Service } from '../service.ts';
import { frameText } from './frame-text.ts';
import { Receiver, type ReceiverFeatures } from './receiver.ts';
import { Transmitter } from './transmitter.ts';

/** One port may be both. */
export interface NetPorts {
  readonly transmit: EventPort;
  readonly receive: EventPort;
}

export interface NetBackendParts {
  /** In traces: `vif1.0`. */
  readonly name: string;
  readonly memory: MachineMemory;
  readonly granted: GrantedMemory;
  readonly ports: NetPorts;
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
  readonly #service: Service;

  constructor(parts: NetBackendParts) {
    const { memory, granted, pages, ports, features, link } = parts;
    this.#parts = parts;
    this.#transmitter = new Transmitter({
      ...{ memory, granted, page: pages.transmit },
      send: (frame) => this.#send(frame),
    });
    this.#receiver = new Receiver({ memory, granted, page: pages.receive, features });
    this.#service = new Service({
      clock: parts.clock,
      step: () => this.#transmitter.takeOne(),
      finish: () => {
        if (this.#transmitter.push()) ports.transmit.notify();
        this.#fill();
      },
      onBroken: parts.onBroken,
    });
    ports.transmit.listen(() => this.serve());
    if (ports.receive !== ports.transmit) ports.receive.listen(() => this.serve());
    link.listen((frame) => this.#receive(frame));
  }

  /** Takes what frames there are, and brings what waits. */
  serve(): void {
    this.#service.serve();
  }

  /** The ports are still their owner's to close. */
  close(): void {
    this.#service.close();
    this.#parts.link.listen(() => {});
  }

  #send(frame: Frame): void {
    const { link, name, trace } = this.#parts;
    trace?.({ kind: 'net', text: frameText(name, 'sends', frame) });
    link.send(frame);
  }

  #receive(frame: Frame): void {
    if (!this.#service.isOpen) return;
    const { name, trace } = this.#parts;
    trace?.({ kind: 'net', text: frameText(name, 'gets', frame) });
    this.#receiver.add(frame);
    // What is sent may be answered at once; both are handed over together.
    if (!this.#service.isServing) this.#service.guarded(() => this.#fill());
  }

  #fill(): void {
    if (this.#receiver.fill()) this.#parts.ports.receive.notify();
  }
}
