/**
 * Xen as a PV domain's kernel: answers its hypercalls, sends it its exceptions and events, lets it wait, and ends it. All that
 * a vCPU leaves for comes here.
 */
import { HYPERVISOR_VIRT_END, VMASST } from '../abi/xen.ts';
import { singleStep } from '../cpu/debug-registers.ts';
import type { FaultPlace, FaultReporter } from '../cpu/fault-report.ts';
import type { Leave } from '../cpu/leave.ts';
import type { Ending, GuestKernel, Next } from '../domain/domain.ts';
import { UnsupportedError, XenError } from '../errors.ts';
import { pageFaultCode } from '../memory/address-space.ts';
import { R11, RAX, RBX, RCX, RDX, RSP } from '../x86/registers.ts';
import { vectors } from '../x86/semantics.ts';
import { likelyStack } from './crash-scene.ts';
import type { DomainContext } from './domain-context.ts';
import { GuestError } from './guest-error.ts';
import type { HypercallTable } from './hypercalls/hypercall-table.ts';
import type { Mmu } from './mmu/mmu.ts';
import type { PvCpu, Trap } from './pv-cpu.ts';
import { type BounceParts, bounce, type Cause, isHandler } from './traps/bounce.ts';
import { reloadSegments } from './traps/reload-segments.ts';
import { xenLeaf } from './traps/xen-cpuid.ts';
import type { Timers } from './virtual-cpu.ts';

/** How the vCPU was left: `int 0x82`; else it was SYSCALL. */
const int82 = 0x82;
/** ud2a; .ascii "xen"; cpuid */
const forcedCpuid = [0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2] as const;
const forcedPrefix = 5n;

const trapFlag = 0x100n;
const resumeFlag = 0x1_0000n;

/** #BP, #OF and INT 0x80 have gates of their own: nothing faults on the way. */
const traps: ReadonlySet<number> = new Set([vectors.BP, vectors.OF, 0x80]);

/** sched.h: SHUTDOWN_… as an exit status. */
const shutdowns: readonly string[] = [
  'poweroff',
  'reboot',
  'suspend',
  'crash',
  'watchdog',
  'soft reset',
];
const suspendReason = 2;
const crashReason = 3;
const watchdogReason = 4;

export interface PvKernelParts {
  readonly domain: DomainContext;
  readonly pv: PvCpu;
  readonly mmu: Mmu;
  readonly hypercalls: HypercallTable;
  readonly reporter: FaultReporter;
  readonly toggleMode: () => void;
  /** What time brings. */
  readonly timers: readonly Timers[];
  /** Back-ends hear now of what the guest has sent them; whether one has answered. */
  readonly tellHost: () => boolean;
  /** The vCPU is about to run, or to wait. */
  readonly accounts?: { readonly running: () => void; readonly waiting: () => void };
}

export class PvKernel implements GuestKernel {
  readonly #parts: PvKernelParts;
  readonly #bounce: BounceParts;
  #ending: Ending | Promise<Ending> | undefined;
  /** As the guest's accounts have it. */
  #isWaiting = true;
  /** Since the guest ran last. */
  #haveOthersRun = true;

  constructor(parts: PvKernelParts) {
    this.#parts = parts;
    const { pv, domain, toggleMode } = parts;
    this.#bounce = { pv, vcpu: domain.vcpu, guest: domain.guest, toggleMode };
  }

  next(): Next {
    const { domain, timers, accounts } = this.#parts;
    const { vcpu, clock } = domain;
    if (vcpu.shutdown === suspendReason && domain.suspension.holds())
      return { do: 'wait', until: undefined };
    const now = clock.monotonic();
    const hasWaited = vcpu.waiting !== undefined;
    for (const timer of timers) timer.expire(now);
    this.#endIfAsked();
    if (this.#ending !== undefined) return { do: 'end', ending: this.#ending };
    const wait = this.#wait(now);
    if (wait !== undefined) return wait;
    // A tick that it missed comes when it runs again.
    if (hasWaited) for (const timer of timers) timer.expire(now);
    if (this.#isWaiting) accounts?.running();
    this.#isWaiting = false;
    this.#haveOthersRun ||= hasWaited || vcpu.hasYielded;
    if (vcpu.hasYielded) {
      vcpu.hasYielded = false;
      // Who yields behind an event waits for a back-end, which mostly answers at once: no frame need be unwound for it. A slice ends all the same.
      return this.#parts.tellHost() ? this.next() : { do: 'yield' };
    }
    this.#orCrash(() => this.#enterGuest());
    return this.#ending === undefined ? { do: 'run' } : { do: 'end', ending: this.#ending };
  }

  /** Undefined where it does not wait, or no longer. */
  #wait(now: bigint): Next | undefined {
    const { domain, accounts } = this.#parts;
    const { waiting } = domain.vcpu;
    if (waiting === undefined) return undefined;
    const isDue = waiting.until !== undefined && waiting.until <= now;
    if (isDue || waiting.isOver()) {
      domain.vcpu.waiting = undefined;
      return undefined;
    }
    if (!this.#isWaiting) accounts?.waiting();
    this.#isWaiting = true;
    return { do: 'wait', until: this.#deadline(waiting.until) };
  }

  /** What Xen looks at on every way back into the guest. */
  #enterGuest(): void {
    const { pv, domain } = this.#parts;
    if (this.#haveOthersRun) {
      this.#haveOthersRun = false;
      this.#orCrashFor('a reload of segments', () => reloadSegments(this.#bounce, domain.frames));
    }
    const { nmi } = pv;
    if (nmi.isPending && !nmi.isMasked) {
      nmi.isPending = false;
      // Who has no handler misses it.
      const handler = pv.traps[vectors.NMI];
      nmi.isMasked = handler !== undefined && isHandler(handler, pv.width);
      if (handler !== undefined && nmi.isMasked) this.#deliver(handler, {}, 'an NMI');
    }
    const { vcpu } = domain;
    if (vcpu.isUpcallPending && !vcpu.isUpcallMasked) this.#upcall();
  }

  handle(leave: Leave): void {
    this.#orCrash(() => this.#handle(leave));
  }

  /** What is not there yet ends the domain, with a report like any other. */
  #orCrash(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      this.crash(error.message);
    }
  }

  #handle(leave: Leave): void {
    const { cpu } = this.#parts.domain;
    switch (leave.reason) {
      case 'hypercall':
        if (leave.operand === int82) this.#int82();
        else this.#syscall();
        return;
      case 'exception':
        this.#exception(leave);
        return;
      case 'hostCall':
        cpu.rip = leave.address;
        this.#raise(vectors.UD, undefined, leave);
        return;
      case 'halt':
        this.#halt();
        return;
      default:
        return;
    }
  }

  /** Ends the domain as Xen does one that cannot go on; the first reason counts. */
  crash(why: string): void {
    const { reporter, domain } = this.#parts;
    const report = (): Promise<Ending> =>
      reporter
        .report(why, this.#place())
        .then((text) => ({ status: crashReason, reason: 'fault', report: text }));
    this.#ending ??= report();
    domain.vcpu.shutdown ??= crashReason;
  }

  #endIfAsked(): void {
    const { domain } = this.#parts;
    const reason = domain.vcpu.shutdown;
    if (reason === undefined || this.#ending !== undefined) return;
    const name = shutdowns[reason] ?? `reason ${reason}`;
    const ending: Ending = { status: reason, reason: 'shutdown' };
    const isBad = reason === crashReason || reason === watchdogReason || reason >= shutdowns.length;
    this.#ending = isBad
      ? { ...ending, report: `${domain.name}: the guest has shut down: ${name}` }
      : ending;
  }

  #deadline(until: bigint | undefined): bigint | undefined {
    const times = this.#parts.timers.flatMap((timer) => timer.deadline() ?? []);
    if (until !== undefined) times.push(until);
    const [first] = times.sort((a, b) => (a < b ? -1 : 1));
    return first;
  }

  // Hypercalls.

  #syscall(): void {
    const { domain, pv } = this.#parts;
    const { cpu } = domain;
    if (domain.width === 32) {
      cpu.rip -= 2n;
      this.#raise(vectors.UD, undefined, undefined);
      return;
    }
    cpu.setRegister(RCX, cpu.rip);
    cpu.setRegister(R11, cpu.eflags);
    if (pv.isKernel) this.#dispatch();
    else this.#deliver(pv.callbacks.syscall, {}, 'SYSCALL of a program');
  }

  /** A way into Xen for kernels of 32-bit guests alone. */
  #int82(): void {
    const { domain, pv } = this.#parts;
    if (domain.width === 32 && pv.inKernel) {
      this.#dispatch();
      return;
    }
    const trap = pv.traps[int82];
    if (trap !== undefined && trap.privilege >= (pv.inKernel ? 1 : 3)) {
      this.#deliver(trap, { isFault: true }, 'INT 0x82');
      return;
    }
    domain.cpu.rip -= 2n;
    this.#raise(vectors.GP, int82 * 8 + 2, undefined);
  }

  #dispatch(): void {
    const { domain, hypercalls } = this.#parts;
    try {
      domain.cpu.setRegister(RAX, hypercalls.dispatch());
    } catch (error) {
      if (!(error instanceof GuestError)) throw error;
      this.crash(error.message);
    }
  }

  #halt(): void {
    const { vcpu } = this.#parts.domain;
    vcpu.isUpcallMasked = false;
    vcpu.waiting = { isOver: () => vcpu.isUpcallPending, until: undefined };
  }

  // Exceptions and events.

  #exception(leave: Extract<Leave, { reason: 'exception' }>): void {
    const { vector, errorCode, address } = leave;
    if (vector === vectors.UD && this.#emulateForced()) {
      this.#emulated();
      return;
    }
    // Once is enough: whoever handles it hands the registers on.
    if (vector === vectors.NM) this.#parts.pv.isTaskSwitched = false;
    if (vector === vectors.PF && address !== undefined) {
      this.#pageFault(leave, address, errorCode ?? 0);
      return;
    }
    this.#raise(vector, errorCode, leave);
  }

  /** The processor drops what it knew of an address that faults. */
  #pageFault(leave: Leave, address: bigint, errorCode: number): void {
    const { domain, pv, mmu } = this.#parts;
    mmu.tables.invalidate(address);
    if (this.#emulateTableWrite(address, errorCode)) {
      this.#emulated();
      return;
    }
    pv.faultAddress = address;
    domain.vcpu.setFaultAddress(address);
    const user = pv.inKernel ? 0 : pageFaultCode.user;
    this.#raise(vectors.PF, (errorCode & ~pageFaultCode.user) | user, leave);
  }

  /** An instruction was executed in the guest's place: with TF a trap is behind it, too. */
  #emulated(): void {
    const { pv } = this.#parts;
    if ((pv.cpu.eflags & trapFlag) === 0n) return;
    pv.debug.tell(singleStep);
    this.#raise(vectors.DB, undefined, undefined);
  }

  /** With VMASST_TYPE_writable_pagetables a kernel may write to its last-level tables as if they were memory. */
  #emulateTableWrite(page: bigint, errorCode: number): boolean {
    const { pv, mmu } = this.#parts;
    if (!pv.assists.has(VMASST.TYPE_writable_pagetables) || !pv.inKernel) return false;
    if (!mmu.isTableWrite(page, errorCode)) return false;
    try {
      return pv.cpu.supervisor.storeThrough({
        page,
        store: (address, bytes, value) => mmu.storeMapped(address, bytes, value),
      });
    } catch (error) {
      if (!(error instanceof GuestError)) throw error;
      this.crash(error.message);
      return true;
    }
  }

  /** An exception where the guest stands, and not of an instruction there. */
  raise(vector: number, errorCode: number): void {
    this.#deliver(this.#parts.pv.traps[vector], { errorCode }, `exception ${vector}`);
  }

  #raise(vector: number, errorCode: number | undefined, leave: Leave | undefined): void {
    const trap = this.#parts.pv.traps[vector];
    const isFault = isDebug(vector, leave) ? this.#resumes() : !traps.has(vector);
    const cause = { errorCode, isFault };
    this.#deliver(trap, cause, leave ?? `exception ${vector}`);
  }

  /** RF is told of #DB only where a repeated instruction was interrupted; a breakpoint's handler sets it itself (SDM vol. 3, 18.3.1.1). */
  #resumes(): boolean {
    return (this.#parts.pv.cpu.eflags & resumeFlag) !== 0n;
  }

  #deliver(
    target:
      | Trap
      | { readonly cs: number; readonly address: bigint; readonly masksEvents: boolean }
      | undefined,
    cause: Cause,
    what: Leave | string,
  ): void {
    this.#orCrashFor(what, () => {
      if (target === undefined) throw new GuestError('the guest has no handler for it');
      bounce(this.#bounce, target, cause);
    });
  }

  #orCrashFor(what: Leave | string, call: () => void): void {
    try {
      call();
    } catch (error) {
      if (!(error instanceof GuestError)) throw error;
      this.#crashFor(what, error.message);
    }
  }

  #crashFor(what: Leave | string, why: string): void {
    if (typeof what === 'string') {
      this.crash(`${what}: ${why}`);
      return;
    }
    const { reporter, domain } = this.#parts;
    const place = this.#place();
    const report = async (): Promise<Ending> => {
      const { what: text, at, address } = await reporter.explain(what, place);
      const full = await reporter.report(`${text}; ${why}`, { ...place, at, address });
      return { status: crashReason, reason: 'fault', report: full };
    };
    this.#ending ??= report();
    domain.vcpu.shutdown ??= crashReason;
  }

  #place(): FaultPlace {
    const { cpu, guest } = this.#parts.domain;
    return { thread: 'vCPU 0', stack: likelyStack(guest, cpu.register(RSP)) };
  }

  #upcall(): void {
    this.#deliver(this.#parts.pv.callbacks.event, {}, 'an event');
  }

  /** CPUID behind Xen's prefix, with which a guest asks Xen and not the processor. */
  #emulateForced(): boolean {
    const { cpu, guest, width } = this.#parts.domain;
    if (cpu.rip >= HYPERVISOR_VIRT_END[width] - 16n && width === 32) return false;
    let bytes: Uint8Array;
    try {
      bytes = guest.readBytes(cpu.rip, forcedCpuid.length);
    } catch (error) {
      if (error instanceof XenError) return false;
      throw error;
    }
    if (!forcedCpuid.every((byte, i) => bytes[i] === byte)) return false;
    const leaf = xenLeaf(Number(BigInt.asUintN(32, cpu.register(RAX))), width);
    // The processor's own leaves are read by the instruction itself.
    cpu.rip += leaf === undefined ? forcedPrefix : BigInt(forcedCpuid.length);
    if (leaf === undefined) return true;
    [RAX, RBX, RCX, RDX].forEach((register, i) => {
      cpu.setRegister(register, BigInt(leaf[i] ?? 0));
    });
    return true;
  }
}

/** Not INT 1. */
const isDebug = (vector: number, leave: Leave | undefined): boolean =>
  vector === vectors.DB && (leave?.reason !== 'exception' || leave.isDebug === true);
