/**
 * Real Xen, as recorders use it. STUBDOM_XEN names a program that runs an image on it: options, then the image, its console on
 * stdout (`-S`: in a shim, for 32-bit images, which Debian's Xen does not run itself; others as the recorders say). STUBDOM_XEN32
 * names one whose Xen has CONFIG_PV32 and needs no shim: Debian's source package, with that switched on.
 */
import type { Width } from '../../../runtime/memory/layout.ts';

export interface RealXen {
  readonly program: string;
  readonly options: readonly string[];
  /** In a shim its hypercalls are not seen, and what it is answered is the shim's. */
  readonly isShim: boolean;
}

/** Undefined where none is named; nothing is recorded then. */
export function realXen(width: Width, what: string): RealXen | undefined {
  const named = process.env['STUBDOM_XEN'] ?? '';
  const own = process.env['STUBDOM_XEN32'] ?? '';
  const isShim = width === 32 && own === '';
  const [program = '', ...options] = (width === 32 && !isShim ? own : named).split(' ');
  if (program === '') {
    process.stdout.write(`${what}: STUBDOM_XEN names no real Xen; nothing is recorded\n`);
    return undefined;
  }
  return { program, options: isShim ? [...options, '-S'] : options, isShim };
}
