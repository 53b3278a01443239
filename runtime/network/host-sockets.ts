/** The host's network as user-mode networking needs it: what `host/` implements, and tests, too. */

/** The guest's side of a stream. */
export interface StreamEvents {
  opened(): void;
  data(bytes: Uint8Array): void;
  /** The other side will send no more. */
  ended(): void;
  /** `errno` as Node names it: `ECONNREFUSED`; nothing follows. */
  failed(errno: string): void;
}

/** A TCP connection of the host's. */
export interface HostStream {
  /** Calls when the bytes have been taken; until then they are not to be changed. */
  write(bytes: Uint8Array, taken: () => void): void;
  /** No more will be written. */
  end(): void;
  destroy(): void;
  /** No data until resumed. */
  pause(): void;
  resume(): void;
}

export interface HostDatagrams {
  send(bytes: Uint8Array, address: string, port: number): void;
  close(): void;
}

export type ReceiveDatagram = (bytes: Uint8Array, address: string, port: number) => void;

export interface Listener {
  /** What was asked for, or, of port 0, what the host has chosen. */
  readonly port: number;
  close(): void;
}

export interface HostSockets {
  connect(address: string, port: number, events: StreamEvents): HostStream;
  /** Accepts connections; UserError where the port is another's. */
  listen(
    address: string,
    port: number,
    accept: (attach: (events: StreamEvents) => HostStream) => void,
  ): Promise<Listener>;
  /** A socket that sends from a port of the host's choice, and hears answers. */
  datagrams(receive: ReceiveDatagram): HostDatagrams;
  /** One that is bound to that port; UserError where it is another's. */
  bindDatagrams(address: string, port: number, receive: ReceiveDatagram): Promise<HostDatagrams>;
  /** The IPv4 address of a name server; undefined where there is none. */
  nameServer(): string | undefined;
}
