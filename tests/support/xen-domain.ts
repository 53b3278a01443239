/** A domain as Xen's parts see it, whose guest is the test: one run of memory, and what else a part asks for. */
import { Signal } from '../../runtime/domain/signal.ts';
import { LinearAddressSpace } from '../../runtime/memory/address-space.ts';
import { GuestMemory } from '../../runtime/memory/guest-memory.ts';
import type { Width } from '../../runtime/memory/layout.ts';
import { MachineMemory, pageSize } from '../../runtime/memory/machine-memory.ts';
import type { DomainContext } from '../../runtime/xen/domain-context.ts';
import { FrameTable } from '../../runtime/xen/frames.ts';
import { RequestAllowance } from '../../runtime/xen/request-allowance.ts';
import { Suspension } from '../../runtime/xen/suspension.ts';
import { VirtualCpu } from '../../runtime/xen/virtual-cpu.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeCpu } from './fake-cpu.ts';

export interface TestDomain {
  readonly domain: DomainContext;
  readonly clock: FakeClock;
  readonly logged: string[];
  /** Where the guest's memory begins, for it and in the machine. */
  readonly address: bigint;
  readonly host: number;
  /** Its first frame. */
  readonly frame: number;
}

const address = 0x1000_0000n;
const pages = 64;

export const testFrames = (): FrameTable => new FrameTable(new MachineMemory(16 * 2 ** 20));

/** `frames` are those of the machine that it shares with others. */
export function testDomain(width: Width, id = 1, frames = testFrames()): TestDomain {
  const { memory } = frames;
  const frame = frames.allocate(id, pages);
  const host = frames.hostOf(frame) ?? 0;
  const sharedInfo = frames.hostOf(frames.allocateShared(id)) ?? 0;
  const run = { lo: address, length: BigInt(pages * pageSize), host };
  const guest = new GuestMemory(memory, new LinearAddressSpace(memory, run));
  const clock = new FakeClock();
  const logged: string[] = [];
  const domain: DomainContext = {
    ...{ id, name: 'guest', width, memory, frames, guest, sharedInfo, clock },
    cpu: new FakeCpu(width, guest, () => 0n),
    vcpu: new VirtualCpu(memory, width, sharedInfo),
    requests: new RequestAllowance(),
    suspension: new Suspension(),
    changed: new Signal(),
    log: (line) => {
      logged.push(line);
    },
  };
  return { domain, clock, logged, address, host, frame };
}
