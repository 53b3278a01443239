/** A machine with two PV domains: one whose hypercalls the test asks for, from behind its kernel's registers, and a victim beside it. */
import { HYPERCALLS, type HypercallName } from '../../runtime/abi/xen.ts';
import type { Leave } from '../../runtime/cpu/leave.ts';
import type { Next } from '../../runtime/domain/domain.ts';
import { Signal } from '../../runtime/domain/signal.ts';
import type { Width } from '../../runtime/memory/layout.ts';
import { MachineMemory, pageSize } from '../../runtime/memory/machine-memory.ts';
import { RAX, RBP, RBX, RCX, RDI, RDX, RSI } from '../../runtime/x86/registers.ts';
import { type BuiltDomain, buildDomain } from '../../runtime/xen/builder/build-domain.ts';
import { domainImage } from '../../runtime/xen/builder/domain-image.ts';
import { laidImage } from '../../runtime/xen/domain-source.ts';
import { FrameTable } from '../../runtime/xen/frames.ts';
import { XenMappings } from '../../runtime/xen/mmu/xen-mappings.ts';
import { PvDomain } from '../../runtime/xen/pv-domain.ts';
import type { PvKernel } from '../../runtime/xen/pv-kernel.ts';
import { type DomainParts, XenWorld } from '../../runtime/xen/xen-world.ts';
import { fakeDomain } from './domain-image.ts';
import { FakeClock } from './fake-clock.ts';

export const attackerId = 1;
export const victimId = 2;
const megabytes = 2;
const ports = { xenstore: 1, console: 2 } as const;
const registers = { 64: [RDI, RSI, RDX, 10, 8, 9], 32: [RBX, RCX, RDX, RSI, RDI, RBP] } as const;
const interrupt = 0x82;

export interface Member {
  readonly pv: PvDomain;
  readonly built: BuiltDomain;
  readonly parts: DomainParts;
  readonly kernel: PvKernel;
}

export class XenMachine {
  readonly width: Width;
  readonly frames: FrameTable;
  readonly world: XenWorld;
  readonly attacker: Member;
  readonly victim: Member;
  readonly logged: string[] = [];
  readonly #xen: XenMappings;

  constructor(width: Width) {
    this.width = width;
    this.frames = new FrameTable(new MachineMemory(64 * 2 ** 20));
    this.world = new XenWorld(this.frames, new FakeClock());
    this.#xen = new XenMappings(this.frames);
    this.attacker = this.#join(attackerId);
    this.victim = this.#join(victimId);
  }

  #join(id: number): Member {
    const { frames, width, world } = this;
    const image = domainImage(fakeDomain(width));
    const memory = megabytes * 2 ** 20;
    const built = buildDomain(image, frames, { id, memory, commandLine: '', ports });
    const source = { width, image: image.image, lay: () => laidImage(built) };
    const pv = new PvDomain(source, frames, this.#xen, {
      ...{ id, name: `d${id}`, commandLine: '', clock: new FakeClock(), changed: new Signal() },
      ...{ timestamp: () => 0n, log: (line) => void this.logged.push(line) },
    });
    const parts = world.join(pv.context, pv.hooks);
    world.openTools(parts, { store: built.xenstore, console: built.console });
    const isThere = (domid: number): boolean => [0, attackerId, victimId].includes(domid);
    return { pv, built, parts, kernel: pv.kernel({ ...parts, isThere }) };
  }

  /** What the attacker's rax becomes, as a signed number. */
  call(name: HypercallName | number, args: readonly bigint[]): bigint {
    const { pv, kernel } = this.attacker;
    kernel.handle(this.ask(name, args));
    return BigInt.asIntN(this.width, pv.cpu.register(RAX));
  }

  /** What the attacker's vCPU is left for. */
  ask(name: HypercallName | number, args: readonly bigint[]): Leave {
    const { width } = this;
    const { cpu } = this.attacker.pv;
    cpu.setRegister(RAX, BigInt(typeof name === 'number' ? name : HYPERCALLS[name]));
    for (const [n, register] of registers[width].entries())
      cpu.setRegister(register, BigInt.asUintN(width, args[n] ?? 0n));
    return { reason: 'hypercall', operand: width === 64 ? 0 : interrupt };
  }

  next(): Next {
    return this.attacker.kernel.next();
  }

  /** Bytes of every frame that is the victim's, but for those of that list. */
  victimBytes(but: ReadonlySet<number> = new Set()): Buffer {
    const { frames } = this;
    const parts: Uint8Array[] = [];
    for (let frame = frames.end - frames.count; frame < frames.end; frame++) {
      const host = frames.hostOf(frame);
      if (host === undefined || frames.ownerOf(frame) !== victimId || but.has(frame)) continue;
      parts.push(frames.memory.bytes().subarray(host, host + pageSize));
    }
    return Buffer.concat(parts);
  }
}
