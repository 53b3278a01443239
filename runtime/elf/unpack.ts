/** Images as they are handed around: compressed by gzip (RFC 1952), or plain. */
import { UserError } from '../errors.ts';

const gzip = [0x1f, 0x8b] as const;
/** More than any image has; a small file may say that it is larger than all memory. */
const mostBytes = 2 ** 30;

/** The image itself. */
export async function unpackImage(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  if (gzip.some((byte, i) => bytes[i] !== byte)) return bytes;
  const stream = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream('gzip'));
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of stream) {
      length += part.length;
      if (length > mostBytes) break;
      parts.push(part);
    }
  } catch (cause) {
    throw new UserError(`${name}: it looks compressed by gzip, but cannot be unpacked`, { cause });
  }
  if (length > mostBytes)
    throw new UserError(`${name}: unpacked it is larger than ${mostBytes / 2 ** 20} MiB`);
  const image = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    image.set(part, at);
    at += part.length;
  }
  return image;
}
