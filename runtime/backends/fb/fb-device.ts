/** A virtual frame buffer: its nodes in the store (xen/io/fbif.h), and the guest's picture while it is connected. */
import {
  XENFB_OUT_RING_LEN,
  XENFB_OUT_RING_OFFS,
  XENFB_TYPE,
  xenfb_page,
  xenfb_resize,
  xenfb_update,
} from '../../abi/io/fbif.ts';
import { XEN_IO_PROTO_ABI } from '../../abi/io/protocols.ts';
import { clip, type Rectangle, type Screen, whole } from '../../display/screen.ts';
import type { EventPort, EventPorts } from '../../domain/event-port.ts';
import type { ForeignMemory } from '../../domain/foreign-memory.ts';
import { XenError } from '../../errors.ts';
import type { Width } from '../../memory/layout.ts';
import type { MachineMemory } from '../../memory/machine-memory.ts';
import type { StoreClient } from '../../xenstore/client.ts';
import { EventPage } from '../event-page.ts';
import { Backend, type BackendDevice, type FrontendNodes } from '../handshake.ts';
import { allOrNothing, type Held } from '../held.ts';
import { createDevice, type Device, type DeviceNodes } from '../xenbus.ts';
import { Framebuffer } from './framebuffer.ts';

export interface SharedPageParts {
  /** Of the guest: the layout of a front-end that names none. */
  readonly width: Width;
  readonly memory: MachineMemory;
  readonly foreign: ForeignMemory;
  readonly ports: EventPorts;
}

/** Makes the device's directories for that domain, and its screen, which is dark until the guest connects. */
export function serveFramebuffer(
  store: StoreClient,
  domain: number,
  parts: SharedPageParts,
  id = 0,
): { readonly backend: Backend; readonly screen: Screen } {
  const place: Device = { type: 'vfb', frontend: domain, backend: 0, id };
  createDevice(store, place, { frontend: {}, backend: { vnc: 0, sdl: 0 } });
  const device = new FramebufferDevice(parts, (reason) =>
    backend.fail(new XenError('EINVAL', reason)),
  );
  const backend = new Backend({ store, place, device });
  return { backend, screen: device };
}

interface Connection {
  readonly held: Held;
  readonly port: EventPort;
  readonly events: EventPage;
  readonly picture: Framebuffer;
}

const pageOffsets = xenfb_page.layout(64).offsets;

class FramebufferDevice implements BackendDevice, Screen {
  readonly #parts: SharedPageParts;
  readonly #onBroken: (reason: string) => void;
  readonly #listeners = new Set<(part: Rectangle) => void>();
  #connection: Connection | undefined;
  /** The picture that the guest left behind. */
  #last: { width: number; height: number; pixels: Uint8Array } | undefined;

  constructor(parts: SharedPageParts, onBroken: (reason: string) => void) {
    this.#parts = parts;
    this.#onBroken = onBroken;
  }

  get width(): number {
    return this.#connection?.picture.width ?? this.#last?.width ?? 0;
  }

  get height(): number {
    return this.#connection?.picture.height ?? this.#last?.height ?? 0;
  }

  pixels(part: Rectangle): Uint8Array {
    if (this.#connection !== undefined) return this.#connection.picture.pixels(part);
    const { x, y, width, height } = clip(part, this);
    const rows = Array.from({ length: height }, (_, line) => {
      const at = ((y + line) * this.width + x) * 4;
      return this.#last?.pixels.subarray(at, at + width * 4) ?? [];
    });
    const pixels = new Uint8Array(width * height * 4);
    for (const [line, row] of rows.entries()) pixels.set(row, line * width * 4);
    return pixels;
  }

  listen(changed: (part: Rectangle) => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  advertise(): DeviceNodes {
    return { 'feature-resize': 1 };
  }

  connect(front: FrontendNodes): DeviceNodes {
    const { memory, foreign, ports } = this.#parts;
    const { host, ...connection } = allOrNothing((held) => {
      const host = held.page(foreign, front.reference('page-ref'));
      const protocol = this.#protocolOf(front);
      const picture = held.keep(new Framebuffer(memory, foreign, host, protocol), (it) =>
        it.close(),
      );
      return { held, host, picture, port: held.port(ports, front.port('event-channel')) };
    });
    const { picture, port } = connection;
    const events = new EventPage({
      ...{ memory, host, consumer: pageOffsets.out_cons, producer: pageOffsets.out_prod },
      ...{ events: XENFB_OUT_RING_OFFS, length: XENFB_OUT_RING_LEN },
    });
    this.#connection = { ...connection, events };
    picture.listen((part) => this.#tell(part));
    port.listen(() => this.#serve());
    picture.changed(whole(picture));
    return { 'request-update': 1 };
  }

  disconnect(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    // What the guest has told before it parted; a ring that is broken by now tells nothing.
    this.#takeAll(connection);
    this.#connection = undefined;
    const { picture } = connection;
    const { width, height } = picture;
    this.#last = { width, height, pixels: picture.pixels(whole(picture)) };
    connection.held.release();
  }

  #tell(part: Rectangle): void {
    for (const listener of [...this.#listeners]) listener(part);
  }

  #serve(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const error = this.#takeAll(connection);
    if (error === undefined) {
      connection.port.notify();
      return;
    }
    connection.port.close();
    this.#onBroken(error.message);
  }

  /** All events that wait, or the error that ended this. */
  #takeAll({ events, picture }: Connection): XenError | undefined {
    const event = new Uint8Array(xenfb_resize.size(64));
    try {
      while (events.take(event)) this.#handle(picture, event);
      return undefined;
    } catch (error) {
      if (error instanceof XenError) return error;
      throw error;
    }
  }

  /** What is of no known type is for back-ends that know more. */
  #handle(picture: Framebuffer, event: Uint8Array): void {
    if (event[0] === XENFB_TYPE.UPDATE) {
      const { x, y, width, height } = xenfb_update.layout(64).at(event, 0);
      picture.changed({ x, y, width, height });
    } else if (event[0] === XENFB_TYPE.RESIZE) {
      const { width, height, stride, depth, offset } = xenfb_resize.layout(64).at(event, 0);
      picture.resize({ width, height, stride, depth, offset });
    }
  }

  #protocolOf(front: FrontendNodes): Width {
    const name = front.find('protocol');
    if (name === undefined || name === '') return this.#parts.width;
    if (name === XEN_IO_PROTO_ABI.X86_64) return 64;
    if (name === XEN_IO_PROTO_ABI.X86_32) return 32;
    throw new XenError('EINVAL', `protocol: no ${name}`);
  }
}
