/**
 * Which instructions compute with SSE floats, and which let a program see or change how (SDM vol. 1, 10.2.3): an image
 * without the latter cannot tell sticky flags, and its floats are plain Wasm ones.
 */

const arithmetic =
  /^(ADD|SUB|MUL|DIV|SQRT|MIN|MAX|CMP|RCP|RSQRT|ROUND|DP|HADD|HSUB|ADDSUB)[PS][SD]$|^U?COMIS[SD]$|^CVT/;

/** MOVSD's string namesake CMPSD has a row of its own, which its form tells. */
export const computesFloats = ({ mnemonic, code }: { mnemonic: string; code: string }): boolean =>
  arithmetic.test(mnemonic) && code !== 'Cmpsd_m32_m32';

const control: ReadonlySet<string> = new Set(
  'LDMXCSR STMXCSR FXSAVE FXSAVE64 FXRSTOR FXRSTOR64'.split(' '),
);

export const touchesMxcsr = (mnemonic: string): boolean => control.has(mnemonic);

/**
 * Whether bytes of code may be such an instruction, or have one across any border of theirs: 0F AE /0 to /3 with an operand in
 * memory (SDM vol. 2).
 */
export function mayTouchMxcsr(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(0xae, 1); at >= 0; at = bytes.indexOf(0xae, at + 1)) {
    const modrm = bytes[at + 1] ?? 0;
    if (bytes[at - 1] === 0x0f && modrm < 0xc0 && (modrm & 0x20) === 0) return true;
  }
  return false;
}
