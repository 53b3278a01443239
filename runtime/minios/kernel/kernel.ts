/** What the rows of the API reach: the parts of the kernel of one application. */
import type { Ending } from '../../domain/domain.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import type { Posix } from '../posix/posix.ts';
import type { Callbacks } from './callbacks.ts';
import type { Events } from './events.ts';
import type { FreeSpace } from './free-space.ts';
import type { Grants } from './grants.ts';
import type { KernelClocks } from './kernel-clocks.ts';
import type { MapArea } from './map-area.ts';
import type { Mappings } from './mappings.ts';
import type { Pages } from './pages.ts';
import type { Signals } from './signals.ts';
import type { StoreTalk } from './store.ts';
import type { Threads } from './threads.ts';
import type { Timers } from './timers.ts';

export interface Kernel {
  readonly mode: 64 | 32;
  readonly name: string;
  readonly memory: GuestMemory;
  readonly space: FreeSpace;
  readonly mapArea: MapArea;
  readonly threads: Threads;
  readonly callbacks: Callbacks;
  readonly events: Events;
  readonly grants: Grants;
  readonly pages: Pages;
  readonly store: StoreTalk;
  /** Of an image that maps pages. */
  readonly mappings: Mappings | undefined;
  readonly posix: Posix;
  readonly clocks: KernelClocks;
  readonly signals: Signals;
  readonly timers: Timers;
  /** After this call another thread may run. */
  reschedule(): void;
  end(ending: Ending): void;
  /** Ends with a report that says where the guest was. */
  crash(status: number, what: string): void;
}
