/** Domain images whose starts are timed, here and on real Xen: from the command to what they show first. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Width } from '../../runtime/memory/layout.ts';
import { makeExt2 } from './ext2-image.ts';
import { debianGrub } from './grub.ts';
import { sessionFiles } from './grub-sessions.ts';
import { buildPvGuest } from './pv-guest.ts';

export interface BootScenario {
  readonly name: 'grub' | 'guest';
  readonly what: string;
  readonly image: (width: Width) => Promise<Uint8Array>;
  readonly hasDisk: boolean;
  /** What is waited for. */
  readonly shows: string;
  /** Typed then: it ends with status 0. */
  readonly ends: string;
}

const down = '\x1b[B';

export const bootScenarios: readonly BootScenario[] = [
  {
    ...{ name: 'grub', what: 'Debian’s GRUB to its menu', image: debianGrub, hasDisk: true },
    ...{ shows: 'GNU GRUB', ends: `${down}${down}\r` },
  },
  {
    ...{ name: 'guest', what: 'a small PV guest to its first line', hasDisk: false },
    image: (width) => buildPvGuest('version', width),
    ...{ shows: 'version', ends: '' },
  },
];

/** The disk that GRUB has its menu from; false where no file system can be made. */
export async function makeBootDisk(path: string): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-boot-'));
  try {
    return await makeExt2(join(directory, 'files'), path, 4, sessionFiles);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export const bootName = (name: BootScenario['name'], width: Width): string => `${name}-${width}`;
