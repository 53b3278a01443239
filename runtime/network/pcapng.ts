/** Captures of a link as pcapng (draft-ietf-opsawg-pcapng), for Wireshark and tcpdump. */
import type { Clock } from '../domain/clock.ts';
import type { Link } from './frame.ts';

const BLOCK = {
  SECTION_HEADER: 0x0a0d_0d0a,
  INTERFACE_DESCRIPTION: 1,
  ENHANCED_PACKET: 6,
} as const;
const OPTION = { END: 0, IF_NAME: 2, IF_TSRESOL: 9, EPB_FLAGS: 2 } as const;
const LINKTYPE_ETHERNET = 1;
const byteOrderMagic = 0x1a2b_3c4d;
/** epb_flags, as the station has it. */
const direction = { in: 1, out: 2 } as const;

/** Hears the bytes of a capture file, in order. */
export type CaptureSink = (bytes: Uint8Array) => void;

/** The same link, of which everything is also written to the sink; `in` is what the user of the link receives. */
export function captured(link: Link, sink: CaptureSink, clock: Clock, name: string): Link {
  sink(fileHead(name));
  const write = (bytes: Uint8Array, way: 'in' | 'out'): void =>
    sink(enhancedPacket(bytes, clock.realtime(), way));
  return {
    send: (frame) => {
      write(frame.bytes, 'out');
      link.send(frame);
    },
    listen: (receive) =>
      link.listen((frame) => {
        write(frame.bytes, 'in');
        receive(frame);
      }),
  };
}

function fileHead(name: string): Uint8Array {
  const section = new Uint8Array(16);
  const view = new DataView(section.buffer);
  view.setUint32(0, byteOrderMagic, true);
  view.setUint16(4, 1, true);
  // The section's length is not known before its end.
  view.setBigInt64(8, -1n, true);
  const description = new Uint8Array(8);
  new DataView(description.buffer).setUint16(0, LINKTYPE_ETHERNET, true);
  const options = [
    option(OPTION.IF_NAME, new TextEncoder().encode(name)),
    option(OPTION.IF_TSRESOL, Uint8Array.of(9)),
    option(OPTION.END, new Uint8Array(0)),
  ];
  return joined([
    block(BLOCK.SECTION_HEADER, [section]),
    block(BLOCK.INTERFACE_DESCRIPTION, [description, ...options]),
  ]);
}

function enhancedPacket(bytes: Uint8Array, time: bigint, way: keyof typeof direction): Uint8Array {
  const head = new Uint8Array(20);
  const view = new DataView(head.buffer);
  view.setUint32(4, Number(time >> 32n), true);
  view.setUint32(8, Number(time & 0xffff_ffffn), true);
  view.setUint32(12, bytes.length, true);
  view.setUint32(16, bytes.length, true);
  const flags = Uint8Array.of(direction[way], 0, 0, 0);
  const options = [option(OPTION.EPB_FLAGS, flags), option(OPTION.END, new Uint8Array(0))];
  return block(BLOCK.ENHANCED_PACKET, [head, padded(bytes), ...options]);
}

function option(code: number, value: Uint8Array): Uint8Array {
  const head = new Uint8Array(4);
  const view = new DataView(head.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.length, true);
  return joined([head, padded(value)]);
}

function block(type: number, parts: readonly Uint8Array[]): Uint8Array {
  const body = joined(parts);
  const bytes = new Uint8Array(body.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, bytes.length, true);
  bytes.set(body, 8);
  view.setUint32(bytes.length - 4, bytes.length, true);
  return bytes;
}

/** To a multiple of 4. */
function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  whole.set(bytes);
  return whole;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
