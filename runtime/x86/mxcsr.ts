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
