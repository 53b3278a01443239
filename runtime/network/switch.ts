/** An Ethernet switch: learns which station is behind which port, and sends to all where it does not know. */
import { isGroupMac, macNumber } from './addresses.ts';
import { cable, ethernetHeader, type Frame, type Link } from './frame.ts';

/** Stations that are remembered; beyond it the oldest is forgotten, which costs a flood. */
const mostStations = 1024;

export class NetworkSwitch {
  readonly #ports: Link[] = [];
  readonly #stations = new Map<number, Link>();

  /** The station's end of a new port. */
  plug(): Link {
    const [inner, outer] = cable();
    this.#ports.push(inner);
    inner.listen((frame) => this.#forward(inner, frame));
    return outer;
  }

  #forward(from: Link, frame: Frame): void {
    if (frame.bytes.length < ethernetHeader) return;
    const destination = frame.bytes.subarray(0, 6);
    this.#learn(frame.bytes.subarray(6, 12), from);
    const known = isGroupMac(destination) ? undefined : this.#stations.get(macNumber(destination));
    if (known === from) return;
    if (known !== undefined) known.send(frame);
    else for (const port of this.#ports) if (port !== from) port.send(frame);
  }

  #learn(source: Uint8Array, port: Link): void {
    if (isGroupMac(source)) return;
    const key = macNumber(source);
    if (this.#stations.get(key) === port) return;
    const [oldest] = this.#stations.keys();
    if (oldest !== undefined && this.#stations.size >= mostStations) this.#stations.delete(oldest);
    this.#stations.set(key, port);
  }
}
