/** A virtual keyboard and pointer: its nodes in the store (xen/io/kbdif.h), and the ring of events while it is connected. */
import {
  XENKBD_IN_EVENT_SIZE,
  XENKBD_IN_RING_LEN,
  XENKBD_IN_RING_OFFS,
  XENKBD_TYPE,
  xenkbd_key,
  xenkbd_motion,
  xenkbd_page,
  xenkbd_position,
} from '../../abi/io/kbdif.ts';
import type { Input } from '../../display/screen.ts';
import type { EventPort } from '../../domain/event-port.ts';
import type { GrantedMemory } from '../../domain/granted-memory.ts';
import type { StoreClient } from '../../xenstore/client.ts';
import { EventPage } from '../event-page.ts';
import type { SharedPageParts } from '../fb/fb-device.ts';
import { Backend, type BackendDevice, type FrontendNodes } from '../handshake.ts';
import { allOrNothing, type Held } from '../held.ts';
import { createDevice, type Device, type DeviceNodes } from '../xenbus.ts';

/** What a pointer with a range of its own has at the right and lower edge of the screen. */
const mostPosition = 0x7fff;

export interface KeyboardParts extends SharedPageParts {
  readonly granted: GrantedMemory;
}

/** Makes the device's directories for that domain; what is pressed before the guest connects is lost. */
export function serveKeyboard(
  store: StoreClient,
  domain: number,
  parts: KeyboardParts,
  id = 0,
): { readonly backend: Backend; readonly input: Input } {
  const place: Device = { type: 'vkbd', frontend: domain, backend: 0, id };
  createDevice(store, place, { frontend: {}, backend: {} });
  const device = new KeyboardDevice(parts);
  return { backend: new Backend({ store, place, device }), input: device };
}

interface Connection {
  readonly held: Held;
  readonly port: EventPort;
  readonly events: EventPage;
  /** Positions in pixels, positions in a range of their own, or motions. */
  readonly pointer: 'pixels' | 'raw' | 'motion';
}

const pageOffsets = xenkbd_page.layout(64).offsets;

class KeyboardDevice implements BackendDevice, Input {
  readonly #parts: KeyboardParts;
  #connection: Connection | undefined;
  #last: { x: number; y: number } | undefined;

  constructor(parts: KeyboardParts) {
    this.#parts = parts;
  }

  advertise(): DeviceNodes {
    return { 'feature-abs-pointer': 1, 'feature-raw-pointer': 1 };
  }

  connect(front: FrontendNodes): DeviceNodes {
    const { memory, ports } = this.#parts;
    const { held, host, port } = allOrNothing((held) => {
      const host = this.#mapPage(held, front);
      return { held, host, port: held.port(ports, front.port('event-channel')) };
    });
    const events = new EventPage({
      ...{ memory, host, consumer: pageOffsets.in_cons, producer: pageOffsets.in_prod },
      ...{ events: XENKBD_IN_RING_OFFS, length: XENKBD_IN_RING_LEN },
    });
    const isAbsolute = front.find('request-abs-pointer') === '1';
    const isRaw = front.find('request-raw-pointer') === '1';
    const pointer = isRaw ? 'raw' : isAbsolute ? 'pixels' : 'motion';
    // The guest sends nothing that anybody has defined; its events say that there is room again.
    port.listen(() => {});
    this.#connection = { held, port, events, pointer };
    return {};
  }

  disconnect(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.held.release();
  }

  key(code: number, isPressed: boolean): void {
    const event = new Uint8Array(XENKBD_IN_EVENT_SIZE);
    const key = { type: XENKBD_TYPE.KEY, pressed: Number(isPressed), keycode: code };
    Object.assign(xenkbd_key.layout(64).at(event, 0), key);
    this.#put(event);
  }

  point(x: number, y: number, { width, height }: { width: number; height: number }): void {
    const last = this.#last ?? { x, y };
    this.#last = { x, y };
    const pointer = this.#connection?.pointer;
    if (pointer === 'motion') this.#move(x - last.x, y - last.y, 0);
    else if (pointer === 'raw') {
      const scale = (value: number, size: number): number =>
        size > 1 ? Math.round((value * mostPosition) / (size - 1)) : 0;
      this.#stand(scale(x, width), scale(y, height));
    } else if (pointer === 'pixels') this.#stand(x, y);
  }

  wheel(steps: number): void {
    this.#move(0, 0, -steps);
  }

  #move(x: number, y: number, z: number): void {
    const event = new Uint8Array(XENKBD_IN_EVENT_SIZE);
    const motion = { type: XENKBD_TYPE.MOTION, rel_x: x, rel_y: y, rel_z: z };
    Object.assign(xenkbd_motion.layout(64).at(event, 0), motion);
    this.#put(event);
  }

  #stand(x: number, y: number): void {
    const event = new Uint8Array(XENKBD_IN_EVENT_SIZE);
    const position = { type: XENKBD_TYPE.POS, abs_x: x, abs_y: y, rel_z: 0 };
    Object.assign(xenkbd_position.layout(64).at(event, 0), position);
    this.#put(event);
  }

  #put(event: Uint8Array): void {
    const connection = this.#connection;
    if (connection?.events.put(event)) connection.port.notify();
  }

  /** Newer front-ends grant it, older ones name its frame. */
  #mapPage(held: Held, front: FrontendNodes): number {
    const { foreign, granted } = this.#parts;
    return front.find('page-gref') === undefined
      ? held.page(foreign, front.reference('page-ref'))
      : held.page(granted, front.reference('page-gref'));
  }
}
