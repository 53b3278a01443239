/**
 * The world of an application: level 3 in flat segments, as a Linux process has them; no ports, and time alone.
 * Its tables lie in no memory that it could look at.
 */
import type { Mode } from '../x86/registers.ts';
import type { Environment } from './environment.ts';

/** Base 0, limit 4 GiB, level 3, present and accessed (SDM vol. 3, figure 3-8). */
const code64 = 0x00af_fb00_0000_ffffn;
const code32 = 0x00cf_fb00_0000_ffffn;
const data = 0x00cf_f300_0000_ffffn;

const dataSelector = 0x2b;
const codeSelectors = { 64: 0x33, 32: 0x23 } as const;

/** #BP and #OF may be raised by INT n, as everywhere. */
const openGates: ReadonlySet<number> = new Set([3, 4]);
/** PE, ET, NE, WP and PG; AM is 0, so that EFLAGS.AC means nothing. */
const control = 0x8001_0031;

/** `nanoseconds` is a clock that never goes back; the counter counts them. */
export function flatEnvironment(mode: Mode, nanoseconds: () => bigint): Environment {
  const codeSelector = codeSelectors[mode];
  let last = 0n;
  return {
    timestamp: () => {
      const now = nanoseconds();
      last = now > last ? now : last + 1n;
      return last;
    },
    processor: 0,
    descriptor: (selector) => {
      const named = selector | 3;
      if (named === codeSelector) return mode === 64 ? code64 : code32;
      return named === dataSelector ? data : undefined;
    },
    gatePrivilege: (vector) => (openGates.has(vector) ? 3 : 0),
    gdt: { base: 0n, limit: 0x37 },
    idt: { base: 0n, limit: 0xfff },
    ldt: 0,
    task: 0,
    control,
    selectors:
      mode === 64
        ? [0, codeSelector, dataSelector, 0, 0, 0]
        : [dataSelector, codeSelector, dataSelector, dataSelector, 0, 0],
    emulate: () => 'refused',
  };
}
