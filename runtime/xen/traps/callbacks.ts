/** Handlers that are no exception's: events, failsafe, SYSCALL and NMI (callback.h, nmi.h, set_callbacks of xen.h). */
import { FLAT_KERNEL } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import { isCanonical } from '../../memory/address-space.ts';
import type { Width } from '../../memory/layout.ts';
import { vectors } from '../../x86/semantics.ts';
import type { DomainContext } from '../domain-context.ts';
import { type HypercallHandlers, multiplexed } from '../hypercalls/hypercall.ts';
import { guestSelector } from '../mmu/descriptors.ts';
import type { Callback, CallbackName, PvCpu } from '../pv-cpu.ts';

const CALLBACKOP = { register: 0, unregister: 1 } as const;
const CALLBACKTYPE: Readonly<Record<number, CallbackName | 'nmi'>> = {
  0: 'event',
  1: 'failsafe',
  2: 'syscall',
  4: 'nmi',
  5: 'sysenter',
  7: 'syscall32',
};
const CALLBACKF_mask_events = 1;
const XENNMI = { register_callback: 0, unregister_callback: 1 } as const;

export const callbackHandlers = (pv: PvCpu): HypercallHandlers => ({
  set_callbacks: { arguments: 4, call: (domain, args) => setCallbacks(pv, domain, args) },
  callback_op: {
    arguments: 2,
    call: (domain, [op = 0n, at = 0n]) => callback(pv, domain, op, at),
  },
  nmi_op: multiplexed('nmi_op', {
    register_callback: {
      number: XENNMI.register_callback,
      call: ({ guest, width }, at) => {
        const address = guest.readWord(at, width);
        guest.readWord(at + BigInt(width / 8), width);
        return registerNmi(pv, address);
      },
    },
    unregister_callback: {
      number: XENNMI.unregister_callback,
      call: () => unregisterNmi(pv),
    },
  }),
});

export const checkCanonical = (address: bigint, width: Width): void => {
  if (width === 64 && !isCanonical(address))
    throw new XenError('EINVAL', `0x${address.toString(16)} is not canonical`);
};

function setCallbacks(pv: PvCpu, { width }: DomainContext, args: readonly bigint[]): undefined {
  const [a = 0n, b = 0n, c = 0n, d = 0n] = args;
  const set = (name: CallbackName, cs: bigint, address: bigint, masksEvents: boolean): void => {
    pv.callbacks[name] = {
      cs: guestSelector(Number(cs & 0xffffn), width),
      address,
      masksEvents,
    };
  };
  if (width === 32) {
    set('event', a, b, true);
    set('failsafe', c, d, false);
    return;
  }
  // What cannot be an address is passed over, and nobody is told.
  if (isCanonical(a)) set('event', 0n, a, true);
  if (isCanonical(b)) set('failsafe', 0n, b, false);
  if (isCanonical(c)) set('syscall', 0n, c, false);
}

function callback(pv: PvCpu, domain: DomainContext, op: bigint, at: bigint): undefined {
  const command = Number(BigInt.asUintN(32, op));
  if (command === CALLBACKOP.register) register(pv, domain, at);
  else if (command === CALLBACKOP.unregister) unregister(pv, domain, at);
  else throw new XenError(domain.width === 64 ? 'ENOSYS' : 'EINVAL', `callback_op ${op}`);
}

function register(pv: PvCpu, domain: DomainContext, at: bigint): void {
  const target = targetAt(domain, at);
  const name = nameAt(domain, at);
  if (name === 'nmi') registerNmi(pv, target.address);
  else pv.callbacks[name] = name === 'event' ? { ...target, masksEvents: true } : target;
}

function unregister(pv: PvCpu, domain: DomainContext, at: bigint): void {
  const name = nameAt(domain, at);
  if (name !== 'nmi') throw new XenError('EINVAL', `${name} stays registered`);
  unregisterNmi(pv);
}

/** A 32-bit guest's SYSCALL is another one. */
function nameAt({ guest, width }: DomainContext, at: bigint): CallbackName | 'nmi' {
  const number = guest.readU32(at) & 0xffff;
  const name = CALLBACKTYPE[number];
  if (name === undefined || (width === 32 && name === 'syscall'))
    throw new XenError('ENOSYS', `callback type ${number}`);
  return name;
}

/** type and flags in 16 bits each, then the address; a 32-bit guest's has a selector in front of it. */
function targetAt({ guest, width }: DomainContext, at: bigint): Callback {
  const flags = guest.readU32(at) >>> 16;
  const first = guest.readWord(at + (width === 64 ? 8n : 4n), width);
  const address = width === 64 ? first : BigInt(guest.readU32(at + 8n));
  checkCanonical(address, width);
  return {
    cs: guestSelector(width === 64 ? 0 : Number(first & 0xffffn), width),
    address,
    masksEvents: (flags & CALLBACKF_mask_events) !== 0,
  };
}

/** The trap table's own row, with events masked. */
function registerNmi(pv: PvCpu, address: bigint): undefined {
  checkCanonical(address, pv.width);
  const { cs } = FLAT_KERNEL[pv.width];
  pv.traps[vectors.NMI] = { cs, address, privilege: 0, masksEvents: true };
}

function unregisterNmi(pv: PvCpu): undefined {
  pv.traps[vectors.NMI] = undefined;
}
