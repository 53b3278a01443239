/** A screen as a PNG file. */
import { encode } from 'fast-png';
import { type Screen, whole } from './screen.ts';

/** Undefined where there is no picture yet. */
export function screenshot(screen: Screen): Uint8Array | undefined {
  const { width, height } = screen;
  if (width === 0) return undefined;
  const pixels = screen.pixels(whole(screen));
  const data = new Uint8Array(width * height * 3);
  for (let n = 0; n < width * height; n++) data.set(pixels.subarray(4 * n, 4 * n + 3), 3 * n);
  return encode({ width, height, data, channels: 3, depth: 8 });
}
