/** What the parts of Xen know of the domain that asks them: its memory, its vCPU, its shared info, and the world's time. */
import type { Clock } from '../domain/clock.ts';
import type { GuestCpu } from '../domain/guest-cpu.ts';
import type { Signal } from '../domain/signal.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { Width } from '../memory/layout.ts';
import type { MachineMemory } from '../memory/machine-memory.ts';
import type { FrameTable } from './frames.ts';
import type { RequestAllowance } from './request-allowance.ts';
import type { Suspension } from './suspension.ts';
import type { VirtualCpu } from './virtual-cpu.ts';

export interface DomainContext {
  /** Domain number; the host's own, where back-ends run, is 0. */
  readonly id: number;
  readonly name: string;
  readonly width: Width;
  readonly memory: MachineMemory;
  /** The machine's frames: who owns which, what they are used as, and the M2P table. */
  readonly frames: FrameTable;
  /** What the guest points at, in its own address space; Xen's addresses are refused with EFAULT. */
  readonly guest: GuestMemory;
  readonly cpu: GuestCpu;
  readonly vcpu: VirtualCpu;
  /** Host offset of the shared_info page. */
  readonly sharedInfo: number;
  /** What lists of requests draw on. */
  readonly requests: RequestAllowance;
  readonly suspension: Suspension;
  readonly clock: Clock;
  /** To be raised when something that the domain may wait for has happened outside of its own hypercalls. */
  readonly changed: Signal;
  /** For a person: what the guest did wrong, or asked for in vain. */
  readonly log: (line: string) => void;
}
