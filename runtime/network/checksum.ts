/** The Internet checksum (RFC 1071) and the pseudo headers of TCP and UDP (RFC 9293, 3.1; RFC 8200, 8.1). */

/** Adds 16-bit big-endian words to a sum that is not folded yet; an odd last byte counts as a word's upper half. */
export function addWords(bytes: Uint8Array, start: number, end: number, sum = 0): number {
  let total = sum;
  let at = start;
  for (; at + 1 < end; at += 2) total += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return at < end ? total + ((bytes[at] ?? 0) << 8) : total;
}

/** To 16 bits, with the carries added. */
export function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return folded;
}

export const checksum = (sum: number): number => ~fold(sum) & 0xffff;

/** Of an IP header at `at`, whose transport has `length` bytes: addresses, protocol, length. */
export function pseudoHeaderSum(
  bytes: Uint8Array,
  { version, at }: { version: 4 | 6; at: number },
  protocol: number,
  length: number,
): number {
  const addresses = version === 4 ? [at + 12, at + 20] : [at + 8, at + 40];
  return addWords(bytes, addresses[0] ?? 0, addresses[1] ?? 0, protocol + length);
}
