/** Which signal an exception of the processor becomes, as Linux has it (arch/x86/kernel/traps.c): number, code and address. */
import type { Leave } from '../../cpu/leave.ts';
import type { GuestCpu } from '../../domain/guest-cpu.ts';
import { pageFaultCode } from '../../memory/address-space.ts';
import { vectors } from '../../x86/semantics.ts';
import { cpuState } from '../../x86/state.ts';
import { BUS_ADRALN, FPE, ILL_ILLOPN, SEGV, SI, SIG, TRAP_BRKPT } from '../abi/signal.ts';
import type { SignalInfo } from './pending-signals.ts';

type Fault = Extract<Leave, { reason: 'exception' }>;

const kernel = (signal: number): SignalInfo => ({
  signal,
  code: SI.KERNEL,
  source: { by: 'fault', address: 0n },
});

/** Undefined where it is none that Linux knows. */
export function signalOf(leave: Fault, cpu: GuestCpu): SignalInfo | undefined {
  const at = (signal: number, code: number, address = cpu.rip): SignalInfo => ({
    ...{ signal, code, source: { by: 'fault', address } },
  });
  switch (leave.vector) {
    case vectors.DE:
      return at(SIG.FPE, FPE.INTDIV);
    case vectors.DB:
      return at(SIG.TRAP, TRAP_BRKPT);
    case vectors.BP:
      return kernel(SIG.TRAP);
    case vectors.UD:
      return at(SIG.ILL, ILL_ILLOPN);
    case vectors.NP:
    case vectors.SS:
      return kernel(SIG.BUS);
    case vectors.OF:
    case vectors.BR:
    case vectors.GP:
      return kernel(SIG.SEGV);
    case vectors.PF:
      return at(SIG.SEGV, segvCode(leave.errorCode ?? 0), leave.address ?? 0n);
    case vectors.MF:
    case vectors.XM:
      return at(SIG.FPE, floatCode(cpu.saveContext(), leave.vector));
    case vectors.AC:
      return at(SIG.BUS, BUS_ADRALN, 0n);
    default:
      return undefined;
  }
}

const segvCode = (errorCode: number): number =>
  (errorCode & pageFaultCode.present) === 0 ? SEGV.MAPERR : SEGV.ACCERR;

/** By the exceptions that are flagged and not masked: invalid before division by zero, overflow, underflow and precision. */
function floatCode(context: Uint8Array, vector: number): number {
  const view = new DataView(context.buffer, context.byteOffset);
  const mxcsr = view.getUint16(cpuState.mxcsr, true);
  const raised =
    vector === vectors.XM
      ? mxcsr & ~(mxcsr >> 7)
      : view.getUint16(cpuState.fpuStatus, true) & ~view.getUint16(cpuState.fpuControl, true);
  if ((raised & 0x01) !== 0) return FPE.FLTINV;
  if ((raised & 0x04) !== 0) return FPE.FLTDIV;
  if ((raised & 0x08) !== 0) return FPE.FLTOVF;
  if ((raised & 0x12) !== 0) return FPE.FLTUND;
  return (raised & 0x20) !== 0 ? FPE.FLTRES : 0;
}
