/** Ethernet frames on their way between stations, with the work that offloading has put off. */

/** Destination, source and type; frames are without preamble and check sequence. */
export const ethernetHeader = 14;
/** Of the payload, as every station here has it. */
export const mtu = 1500;

export interface Frame {
  readonly bytes: Uint8Array;
  /** The checksum field of TCP or UDP has the sum of the pseudo header alone. */
  readonly isChecksumBlank?: boolean;
  /** A TCP segment that stands for several, each with this much payload at most. */
  readonly segmentSize?: number;
}

/** One end of a cable. */
export interface Link {
  /** To whoever is at the other end. */
  send(frame: Frame): void;
  /** Calls with what comes from there; frames are the callee's to keep, and nobody's to change. */
  listen(receive: (frame: Frame) => void): void;
}

/** Both ends of a cable. What is sent while nobody listens is lost. */
export function cable(): [Link, Link] {
  const receivers: [Receiver | undefined, Receiver | undefined] = [undefined, undefined];
  const end = (own: 0 | 1, other: 0 | 1): Link => ({
    send: (frame) => receivers[other]?.(frame),
    listen: (receive) => {
      receivers[own] = receive;
    },
  });
  return [end(0, 1), end(1, 0)];
}

type Receiver = (frame: Frame) => void;
