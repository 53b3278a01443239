/** How a VNC viewer wants its pixels (RFC 6143, 7.4). */

export interface PixelFormat {
  readonly bitsPerPixel: 8 | 16 | 32;
  readonly isBigEndian: boolean;
  readonly max: readonly [red: number, green: number, blue: number];
  readonly shift: readonly [red: number, green: number, blue: number];
}

export const formatLength = 16;

/** As a picture here is by itself: blue first. */
export const ownFormat: PixelFormat = {
  ...{ bitsPerPixel: 32, isBigEndian: false, max: [255, 255, 255], shift: [16, 8, 0] },
};

export function writeFormat({ bitsPerPixel, isBigEndian, max, shift }: PixelFormat): Uint8Array {
  const depth = bitsPerPixel === 32 ? 24 : bitsPerPixel;
  const maxima = max.flatMap((value) => [value >> 8, value & 0xff]);
  return Uint8Array.of(bitsPerPixel, depth, Number(isBigEndian), 1, ...maxima, ...shift, 0, 0, 0);
}

/** Undefined where it is none that can be had: indexed colours are not. */
export function readFormat(bytes: Uint8Array): PixelFormat | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = view.getUint8(0);
  if ((bits !== 8 && bits !== 16 && bits !== 32) || view.getUint8(3) === 0) return undefined;
  return {
    bitsPerPixel: bits,
    isBigEndian: view.getUint8(2) !== 0,
    max: [view.getUint16(4), view.getUint16(6), view.getUint16(8)],
    shift: [view.getUint8(10) & 31, view.getUint8(11) & 31, view.getUint8(12) & 31],
  };
}

/** Red, green, blue and another byte a pixel, in that format. */
export function convert(pixels: Uint8Array, format: PixelFormat): Uint8Array {
  const { bitsPerPixel, isBigEndian, max, shift } = format;
  const size = bitsPerPixel / 8;
  const count = pixels.length / 4;
  const converted = new Uint8Array(count * size);
  const view = new DataView(converted.buffer);
  const tables = max.map((most, n) => levels(most, shift[n] ?? 0));
  const [red, green, blue] = tables;
  for (let n = 0; n < count; n++) {
    const value =
      ((red?.[pixels[4 * n] ?? 0] ?? 0) |
        (green?.[pixels[4 * n + 1] ?? 0] ?? 0) |
        (blue?.[pixels[4 * n + 2] ?? 0] ?? 0)) >>>
      0;
    if (size === 4) view.setUint32(4 * n, value, !isBigEndian);
    else if (size === 2) view.setUint16(2 * n, value, !isBigEndian);
    else view.setUint8(n, value);
  }
  return converted;
}

/** What each of 256 levels is in a field of the pixel. */
const levels = (most: number, shift: number): Int32Array =>
  Int32Array.from({ length: 256 }, (_, level) => Math.round((level * most) / 255) << shift);
