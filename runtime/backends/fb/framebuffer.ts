/** A guest's picture in its own memory (xen/io/fbif.h): frames that it has named, read when somebody looks. */
import { xenfb_page } from '../../abi/io/fbif.ts';
import { clip, type Rectangle, type Screen, whole } from '../../display/screen.ts';
import type { ForeignMemory } from '../../domain/foreign-memory.ts';
import type { GrantMapping } from '../../domain/granted-memory.ts';
import { XenError } from '../../errors.ts';
import type { Width } from '../../memory/layout.ts';
import { type MachineMemory, pageSize } from '../../memory/machine-memory.ts';

/** Bytes of a picture: 4096 by 4096 pixels. */
const mostBytes = 64 * 2 ** 20;
const mostPixels = 8192;

/** How a picture lies in the memory that was named. */
export interface Geometry {
  readonly width: number;
  readonly height: number;
  /** Bytes of a row. */
  readonly stride: number;
  readonly depth: number;
  /** Of the first pixel, in bytes. */
  readonly offset: number;
}

export class Framebuffer implements Screen {
  readonly #memory: MachineMemory;
  readonly #pages: readonly GrantMapping[];
  readonly #listeners = new Set<(part: Rectangle) => void>();
  #geometry: Geometry;

  /** From the shared page, which is read once; XenError where it describes no picture, or one of others' frames. */
  constructor(memory: MachineMemory, foreign: ForeignMemory, host: number, protocol: Width) {
    const layout = xenfb_page.layout(protocol);
    // Copied, since the guest may go on writing.
    const page = layout.at(memory.bytes().slice(host, host + layout.size), 0);
    const { width, height, line_length: stride, mem_length: length, depth } = page;
    if (length > mostBytes) throw new XenError('EINVAL', `mem_length ${length} is too much`);
    const directories = page.pd.map(Number);
    this.#memory = memory;
    this.#geometry = checkGeometry({ width, height, stride, depth, offset: 0 }, length);
    this.#pages = mapPages(
      memory,
      foreign,
      directories,
      Math.ceil(length / pageSize),
      protocol / 8,
    );
  }

  get width(): number {
    return this.#geometry.width;
  }

  get height(): number {
    return this.#geometry.height;
  }

  /** XenError where the new picture does not lie in the memory that was named. */
  resize(geometry: Geometry): void {
    this.#geometry = checkGeometry(geometry, this.#pages.length * pageSize);
    this.changed(whole(this));
  }

  changed(part: Rectangle): void {
    const inside = clip(part, this);
    if (inside.width === 0 || inside.height === 0) return;
    for (const listener of [...this.#listeners]) listener(inside);
  }

  listen(changed: (part: Rectangle) => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  pixels(part: Rectangle): Uint8Array {
    const { x, y, width, height } = clip(part, this);
    const { stride, depth, offset } = this.#geometry;
    const size = depth <= 8 ? 1 : depth <= 16 ? 2 : depth === 24 ? 3 : 4;
    const pixels = new Uint8Array(width * height * 4);
    const row = new Uint8Array(width * size);
    for (let line = 0; line < height; line++) {
      this.#copy(offset + (y + line) * stride + x * size, row);
      expand[size]?.(row, pixels.subarray(line * width * 4));
    }
    return pixels;
  }

  close(): void {
    this.#listeners.clear();
    for (const page of this.#pages) page.unmap();
  }

  #copy(from: number, to: Uint8Array): void {
    const bytes = this.#memory.bytes();
    for (let done = 0; done < to.length; ) {
      const at = from + done;
      const inPage = at % pageSize;
      const host = this.#pages[Math.floor(at / pageSize)]?.host ?? 0;
      const count = Math.min(to.length - done, pageSize - inPage);
      to.set(bytes.subarray(host + inPage, host + inPage + count), done);
      done += count;
    }
  }
}

function checkGeometry(geometry: Geometry, length: number): Geometry {
  const { width, height, stride, depth, offset } = geometry;
  const isSize = width > 0 && height > 0 && width <= mostPixels && height <= mostPixels;
  const bytes = depth === 8 ? 1 : depth === 15 || depth === 16 ? 2 : depth === 24 ? 3 : 4;
  if (!isSize || ![8, 15, 16, 24, 32].includes(depth) || offset < 0 || stride < width * bytes)
    throw new XenError(
      'EINVAL',
      `a picture of ${width} × ${height}, ${depth} bits, ${stride} a row`,
    );
  if (offset + (height - 1) * stride + width * bytes > length)
    throw new XenError('EINVAL', `a picture beyond its ${length} bytes`);
  return geometry;
}

/** All frames, or none. Each directory is read once. */
function mapPages(
  memory: MachineMemory,
  foreign: ForeignMemory,
  directories: readonly number[],
  count: number,
  entrySize: number,
): GrantMapping[] {
  const pages: GrantMapping[] = [];
  const inDirectory = pageSize / entrySize;
  try {
    for (let n = 0; n < count; n += inDirectory) {
      const directory = foreign.map(directories[n / inDirectory] ?? 0, 'read');
      const copy = memory.bytes().slice(directory.host, directory.host + pageSize);
      directory.unmap();
      const view = new DataView(copy.buffer);
      for (let entry = 0; entry < Math.min(inDirectory, count - n); entry++) {
        const at = entry * entrySize;
        const frame =
          entrySize === 8 ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true);
        pages.push(foreign.map(frame, 'read'));
      }
    }
    return pages;
  } catch (error) {
    for (const page of pages) page.unmap();
    throw error;
  }
}

type Expand = (row: Uint8Array, pixels: Uint8Array) => void;

/** A row to red, green, blue and 255, by the bytes of a pixel: 3-3-2, 5-6-5, and blue first as Xen's front-ends have it. */
const expand: Readonly<Record<number, Expand>> = {
  1: (row, pixels) => {
    for (const [n, byte] of row.entries())
      setPixel(pixels, n, (byte >> 5) * 36.4, ((byte >> 2) & 7) * 36.4, (byte & 3) * 85);
  },
  2: (row, pixels) => {
    for (let n = 0; n < row.length / 2; n++) {
      const word = (row[2 * n] ?? 0) | ((row[2 * n + 1] ?? 0) << 8);
      setPixel(pixels, n, (word >> 11) * 8.22, ((word >> 5) & 0x3f) * 4.05, (word & 0x1f) * 8.22);
    }
  },
  3: (row, pixels) => {
    for (let n = 0; n < row.length / 3; n++)
      setPixel(pixels, n, row[3 * n + 2] ?? 0, row[3 * n + 1] ?? 0, row[3 * n] ?? 0);
  },
  4: (row, pixels) => {
    for (let n = 0; n < row.length / 4; n++)
      setPixel(pixels, n, row[4 * n + 2] ?? 0, row[4 * n + 1] ?? 0, row[4 * n] ?? 0);
  },
};

function setPixel(pixels: Uint8Array, n: number, red: number, green: number, blue: number): void {
  pixels[4 * n] = red;
  pixels[4 * n + 1] = green;
  pixels[4 * n + 2] = blue;
  pixels[4 * n + 3] = 255;
}
