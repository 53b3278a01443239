/** Domain images as the builder sees them, of any size and with any notes, without a file behind them. */
import type { ElfImage, XenNote } from '../../runtime/elf/image.ts';
import type { Width } from '../../runtime/memory/layout.ts';
import { fakeImage } from './application.ts';

export interface FakeDomain {
  readonly notes?: readonly XenNote[];
  readonly hasLegacyNotes?: boolean;
  /** Of its one segment. */
  readonly address?: bigint;
  readonly physical?: bigint;
  readonly size?: bigint;
  readonly entry?: bigint;
}

export function fakeDomain(width: Width, options: FakeDomain = {}): ElfImage {
  const { notes = [], hasLegacyNotes = false, address = 0n, size = 0x5000n } = options;
  const { physical = address, entry = address } = options;
  const rights = { readable: true, writable: true, executable: true };
  const bytes = Uint8Array.of(0x90, 0xf4);
  return fakeImage(width, {
    ...{ name: 'guest.elf', kind: 'domain', entry, needed: [], relocations: [] },
    ...{ notes, hasLegacyNotes },
    segments: [{ address, physical, memorySize: size, fileOffset: 0, bytes, ...rights }],
  });
}
