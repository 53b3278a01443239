/** Numbers that look random and are the same for the same seed: xoshiro128**, seeded through splitmix32. */

export interface Random {
  /** 0 to 2^32 - 1. */
  u32(): number;
  /** 0 to n - 1, for n from 1 to 2^32. */
  below(n: number): number;
  bytes(n: number): Uint8Array;
  /** All 64 bits, as a two's complement number. */
  bigint64(): bigint;
}

export function random(seed: number): Random {
  const state = seedState(seed);
  const u32 = (): number => step(state);
  return {
    u32,
    // The modulo bias is below 2^-32 × n of a step: nothing a test can see.
    below: (n) => Math.floor((u32() / 0x1_0000_0000) * n),
    bytes: (n) => Uint8Array.from({ length: n }, () => u32() >>> 24),
    bigint64: () => BigInt.asIntN(64, (BigInt(u32()) << 32n) | BigInt(u32())),
  };
}

/** A seed for a run that does not name one; print it, so that the run can be repeated. */
export function freshSeed(): number {
  return Math.floor(Math.random() * 0x1_0000_0000);
}

function seedState(seed: number): Uint32Array {
  let counter = seed >>> 0;
  return Uint32Array.from({ length: 4 }, () => {
    counter = (counter + 0x9e37_79b9) >>> 0;
    let z = counter;
    z = Math.imul(z ^ (z >>> 16), 0x85eb_ca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2_ae35);
    return (z ^ (z >>> 16)) >>> 0;
  });
}

function step(s: Uint32Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = s;
  const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
  const mixed = c ^ a;
  const turned = d ^ b;
  s[1] = b ^ mixed;
  s[0] = a ^ turned;
  s[2] = mixed ^ (b << 9);
  s[3] = rotateLeft(turned, 11);
  return result;
}

const rotateLeft = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
