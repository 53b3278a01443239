/** One VNC viewer at a screen (RFC 6143): version 3.3 to 3.8, no security, raw pixels, a screen that may change its size. */
import type { HostStream, StreamEvents } from '../network/host-sockets.ts';
import { BUTTON, keyCodeOf } from './key-codes.ts';
import { convert, formatLength, ownFormat, readFormat, writeFormat } from './pixel-format.ts';
import { around, clip, type Input, type Rectangle, type Screen, whole } from './screen.ts';

const versionText = 'RFB 003.008\n';
const NO_SECURITY = 1;
const ENCODING = { RAW: 0, DESKTOP_SIZE: -223 } as const;
const SERVER = { FRAMEBUFFER_UPDATE: 0 } as const;

/** Of a client's message: its length from its beginning, as soon as that is known; 0 where more is needed for that. */
// biome-ignore format: a table, RFC 6143, 7.5
const clientMessages: Readonly<Record<number, (message: DataView) => number>> = {
  0: () => 4 + formatLength,                                                      // SetPixelFormat
  2: (m) => (m.byteLength < 4 ? 0 : 4 + 4 * m.getUint16(2)),                       // SetEncodings
  3: () => 10,                                                                    // FramebufferUpdateRequest
  4: () => 8,                                                                     // KeyEvent
  5: () => 6,                                                                     // PointerEvent
  6: (m) => (m.byteLength < 8 ? 0 : 8 + m.getUint32(4)),                           // ClientCutText
};

/** A message longer than this is nothing but an attack. */
const mostMessage = 1 << 20;
/** Before the guest has drawn anything. */
const emptySize = { width: 640, height: 400 };
/** RFC 6143, 7.5.5, from the lowest bit of a pointer's mask: buttons, and the wheel up and down. */
const pointerButtons = [BUTTON.LEFT, BUTTON.MIDDLE, BUTTON.RIGHT];
const wheelSteps = [1, -1];

export interface RfbParts {
  readonly name: string;
  readonly screen: Screen;
  readonly input: Input;
}

export interface RfbViewer {
  readonly attach: (events: StreamEvents) => HostStream;
  /** It is gone. */
  readonly closed: () => void;
}

type Stage = 'version' | 'security' | 'init' | 'messages' | 'closed';

export class RfbSession implements StreamEvents {
  readonly #parts: RfbParts;
  readonly #stream: HostStream;
  readonly #stopListening: () => void;
  readonly #closed: () => void;
  #stage: Stage = 'version';
  #pending = new Uint8Array(0);
  #minor = 8;
  #format = ownFormat;
  #resizes = false;
  #size = emptySize;
  /** What has changed since it was sent, and what the viewer waits for. */
  #dirty: Rectangle | undefined;
  #asked: Rectangle | undefined;
  #buttons = 0;
  /** Bytes that the host has not taken yet; a viewer that does not read is not sent more. */
  #unsent = 0;

  constructor(parts: RfbParts, viewer: RfbViewer) {
    this.#parts = parts;
    this.#closed = viewer.closed;
    this.#stream = viewer.attach(this);
    this.#stopListening = parts.screen.listen((part) => this.#changed(part));
    this.#send(new TextEncoder().encode(versionText));
    this.#stream.resume();
  }

  opened(): void {}

  ended(): void {
    this.close();
  }

  failed(): void {
    this.close();
  }

  close(): void {
    if (this.#stage === 'closed') return;
    this.#stage = 'closed';
    this.#stopListening();
    this.#stream.destroy();
    this.#closed();
  }

  data(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#pending.length + bytes.length);
    all.set(this.#pending);
    all.set(bytes, this.#pending.length);
    let at = 0;
    while (this.#stage !== 'closed') {
      const used = this.#take(all.subarray(at));
      if (used === 0) break;
      at += used;
    }
    this.#pending = all.slice(at);
  }

  /** How much was used; 0 where more is needed. */
  #take(bytes: Uint8Array): number {
    switch (this.#stage) {
      case 'version':
        return this.#takeVersion(bytes);
      case 'security':
        return this.#takeSecurity(bytes);
      case 'init':
        return this.#takeInit(bytes);
      case 'messages':
        return this.#takeMessage(bytes);
      case 'closed':
        return 0;
    }
  }

  #takeVersion(bytes: Uint8Array): number {
    if (bytes.length < versionText.length) return 0;
    const text = new TextDecoder().decode(bytes.subarray(0, versionText.length));
    const minor = /^RFB 003\.(\d{3})\n$/.exec(text)?.[1];
    if (minor === undefined) this.close();
    else if (Number(minor) < 7) {
      this.#minor = 3;
      this.#send(Uint8Array.of(0, 0, 0, NO_SECURITY));
      this.#stage = 'init';
    } else {
      this.#minor = Number(minor);
      this.#send(Uint8Array.of(1, NO_SECURITY));
      this.#stage = 'security';
    }
    return versionText.length;
  }

  #takeSecurity(bytes: Uint8Array): number {
    if (bytes.length < 1) return 0;
    if (bytes[0] !== NO_SECURITY) this.close();
    else {
      if (this.#minor >= 8) this.#send(new Uint8Array(4));
      this.#stage = 'init';
    }
    return 1;
  }

  #takeInit(bytes: Uint8Array): number {
    if (bytes.length < 1) return 0;
    const name = new TextEncoder().encode(this.#parts.name);
    this.#size = this.#screenSize();
    const { width, height } = this.#size;
    const message = new Uint8Array(4 + formatLength + 4 + name.length);
    const view = new DataView(message.buffer);
    view.setUint16(0, width);
    view.setUint16(2, height);
    message.set(writeFormat(ownFormat), 4);
    view.setUint32(4 + formatLength, name.length);
    message.set(name, 8 + formatLength);
    this.#send(message);
    this.#stage = 'messages';
    return 1;
  }

  #takeMessage(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length === 0) return 0;
    const length = clientMessages[view.getUint8(0)]?.(view);
    if (length === undefined || length > mostMessage) {
      this.close();
      return 0;
    }
    if (length === 0 || bytes.length < length) return 0;
    this.#handle(view);
    return length;
  }

  #handle(message: DataView): void {
    switch (message.getUint8(0)) {
      case 0: {
        const at = message.byteOffset + 4;
        const format = readFormat(new Uint8Array(message.buffer, at, formatLength));
        if (format === undefined) this.close();
        else this.#format = format;
        break;
      }
      case 2:
        this.#setEncodings(message);
        break;
      case 3:
        this.#ask(message);
        break;
      case 4:
        this.#press(message.getUint32(4), message.getUint8(1) !== 0);
        break;
      case 5:
        this.#point(message.getUint8(1), message.getUint16(2), message.getUint16(4));
        break;
      default:
        break;
    }
  }

  #setEncodings(message: DataView): void {
    const count = message.getUint16(2);
    const encodings = Array.from({ length: count }, (_, n) => message.getInt32(4 + 4 * n));
    this.#resizes = encodings.includes(ENCODING.DESKTOP_SIZE);
  }

  #ask(message: DataView): void {
    const [x, y, width, height] = [2, 4, 6, 8].map((at) => message.getUint16(at));
    const part = { x: x ?? 0, y: y ?? 0, width: width ?? 0, height: height ?? 0 };
    const isIncremental = message.getUint8(1) !== 0;
    if (!isIncremental) this.#dirty = this.#dirty === undefined ? part : around(this.#dirty, part);
    this.#asked = part;
    this.#update();
  }

  #press(keysym: number, isPressed: boolean): void {
    const code = keyCodeOf(keysym);
    if (code !== undefined) this.#parts.input.key(code, isPressed);
  }

  #point(mask: number, x: number, y: number): void {
    const { input } = this.#parts;
    input.point(x, y, this.#size);
    const changed = mask ^ this.#buttons;
    for (const [n, code] of pointerButtons.entries())
      if ((changed & (1 << n)) !== 0) input.key(code, (mask & (1 << n)) !== 0);
    for (const [n, steps] of wheelSteps.entries()) {
      const bit = 1 << (pointerButtons.length + n);
      if ((changed & mask & bit) !== 0) input.wheel(steps);
    }
    this.#buttons = mask;
  }

  #changed(part: Rectangle): void {
    this.#dirty = this.#dirty === undefined ? part : around(this.#dirty, part);
    this.#update();
  }

  /** Sends what the viewer waits for and has changed. */
  #update(): void {
    if (this.#stage !== 'messages' || this.#asked === undefined || this.#unsent > 0) return;
    const now = this.#screenSize();
    if (this.#resizes && (now.width !== this.#size.width || now.height !== this.#size.height)) {
      this.#size = now;
      this.#dirty = whole(now);
      this.#sendRectangle(whole(now), ENCODING.DESKTOP_SIZE, new Uint8Array(0));
      this.#asked = undefined;
      return;
    }
    if (this.#dirty === undefined) return;
    const part = clip(this.#dirty, this.#size);
    this.#dirty = undefined;
    if (part.width === 0 || part.height === 0) return;
    this.#asked = undefined;
    this.#sendRectangle(part, ENCODING.RAW, convert(this.#pixels(part), this.#format));
  }

  /** Of a screen that is smaller than the viewer knows, the rest is black. */
  #pixels(part: Rectangle): Uint8Array {
    const { screen } = this.#parts;
    const inside = clip(part, screen);
    if (inside.width === part.width && inside.height === part.height) return screen.pixels(part);
    const pixels = new Uint8Array(part.width * part.height * 4);
    const row = inside.width * 4;
    const source = row === 0 ? new Uint8Array(0) : screen.pixels(inside);
    for (let line = 0; row > 0 && line < inside.height; line++)
      pixels.set(source.subarray(line * row, (line + 1) * row), line * part.width * 4);
    return pixels;
  }

  #sendRectangle({ x, y, width, height }: Rectangle, encoding: number, data: Uint8Array): void {
    const message = new Uint8Array(16 + data.length);
    const view = new DataView(message.buffer);
    view.setUint8(0, SERVER.FRAMEBUFFER_UPDATE);
    view.setUint16(2, 1);
    for (const [n, value] of [x, y, width, height].entries()) view.setUint16(4 + 2 * n, value);
    view.setInt32(12, encoding);
    message.set(data, 16);
    this.#send(message);
  }

  #send(bytes: Uint8Array): void {
    this.#unsent += bytes.length;
    this.#stream.write(bytes, () => {
      this.#unsent -= bytes.length;
      this.#update();
    });
  }

  #screenSize(): { width: number; height: number } {
    const { width, height } = this.#parts.screen;
    return width === 0 ? emptySize : { width, height };
  }
}
