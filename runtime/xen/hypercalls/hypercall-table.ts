/** Hypercalls by number: finds one, gives it its arguments, and says what rax becomes. Multicalls go round through it. */
import { XEN_ERRNO } from '../../abi/errno.ts';
import { HYPERCALLS, type HypercallName, multicall_entry } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import type { Trace, TraceCategory } from '../../trace.ts';
import { RAX, RBP, RBX, RCX, RDI, RDX, RSI } from '../../x86/registers.ts';
import type { DomainContext } from '../domain-context.ts';
import { readStruct } from '../guest-array.ts';
import { tellCall } from '../trace/hypercall-text.ts';
import { Continuation, type Hypercall, type HypercallHandlers } from './hypercall.ts';

/** Registers that have the arguments, first to last. */
const argumentRegisters = {
  64: [RDI, RSI, RDX, 10, 8, 9],
  32: [RBX, RCX, RDX, RSI, RDI, RBP],
} as const;

/** SYSCALL, and INT 82H. */
const askingBytes = 2n;

/** What is heard by those, too, who asked for no other hypercalls. */
const others: Readonly<Partial<Record<HypercallName, TraceCategory>>> = {
  ...{ event_channel_op: 'event', grant_table_op: 'grant' },
};

interface Row {
  readonly name: HypercallName;
  readonly hypercall: Hypercall;
}

export class HypercallTable {
  readonly #domain: DomainContext;
  readonly #rows = new Map<number, Row>();
  readonly #unknown = new Set<number>();
  readonly #trace: Trace | undefined;

  constructor(domain: DomainContext, handlers: HypercallHandlers, trace?: Trace) {
    this.#domain = domain;
    this.#trace = trace;
    const all: HypercallHandlers = { ...handlers, multicall: this.#multicall() };
    for (const [name, hypercall] of Object.entries(all) as [HypercallName, Hypercall][])
      this.#rows.set(HYPERCALLS[name], { name, hypercall });
  }

  /** What the guest's registers ask for; rax as it becomes. */
  dispatch(): bigint {
    const { cpu, width } = this.#domain;
    const registers = argumentRegisters[width];
    this.#domain.requests.renew();
    const number = Number(BigInt.asUintN(32, cpu.register(RAX)));
    const result = this.call(
      number,
      registers.map((register) => cpu.register(register)),
    );
    if (!(result instanceof Continuation)) return result;
    // The instruction that asked is executed again.
    cpu.rip -= askingBytes;
    result.args.forEach((value, i) => {
      cpu.setRegister(registers[i] ?? RAX, BigInt.asUintN(width, value));
    });
    return BigInt(number);
  }

  call(number: number, args: readonly bigint[]): bigint | Continuation {
    const { width } = this.#domain;
    const row = this.#rows.get(number);
    if (row === undefined) return this.#missing(number);
    const given = args.slice(0, row.hypercall.arguments);
    const told = this.#trace && tellCall(this.#domain, row.name, given);
    const outcome = this.#run(row, given);
    if (outcome.result instanceof Continuation) return outcome.result;
    const result = BigInt.asUintN(width, outcome.result);
    if (told !== undefined) this.#tell(row.name, told.line(result, outcome.failure));
    return result;
  }

  #run(
    { name, hypercall }: Row,
    args: readonly bigint[],
  ): { readonly result: bigint | Continuation; readonly failure?: XenError } {
    try {
      const result = hypercall.call(this.#domain, args) ?? 0;
      return { result: result instanceof Continuation ? result : BigInt(result) };
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
      const errno = XEN_ERRNO[error.errno];
      if (errno === undefined) throw new TypeError(`${name}: Xen has no error ${error.errno}`);
      return { result: BigInt(-errno), failure: error };
    }
  }

  #missing(number: number): bigint {
    const text = `d${this.#domain.id} ${nameOf(number)} (${number}) = ENOSYS`;
    this.#trace?.({ kind: 'hypercall', text });
    if (!this.#unknown.has(number)) {
      this.#unknown.add(number);
      this.#domain.log(`hypercall ${number} (${nameOf(number)}) is answered with -ENOSYS`);
    }
    return BigInt.asUintN(this.#domain.width, BigInt(-(XEN_ERRNO['ENOSYS'] ?? 0)));
  }

  #tell(name: HypercallName, text: string): void {
    const also = others[name];
    this.#trace?.({ kind: 'hypercall', text, ...(also && { also }) });
  }

  /** Each entry in its turn; an entry's own failure is its own result. */
  #multicall(): Hypercall {
    let isInside = false;
    return {
      arguments: 2,
      call: (domain, [list = 0n, rawCount = 0n]) => {
        if (isInside) throw new XenError('EINVAL', 'a multicall inside of a multicall');
        const count = Number(BigInt.asUintN(32, rawCount));
        const { size } = multicall_entry.layout(domain.width);
        isInside = true;
        try {
          for (let index = 0; index < count; index++) {
            const entry = BigInt.asUintN(domain.width, list + BigInt(index * size));
            const rest = new Continuation([entry, BigInt(count - index)]);
            if (index > 0 && this.#mustPause()) return rest;
            const outcome = this.#callEntry(entry);
            if (outcome === 'goes on') return rest;
            if (outcome !== 'done') return outcome.result;
          }
          return undefined;
        } finally {
          isInside = false;
        }
      },
    };
  }

  /** Whether the guest is to hear of an event before the next call of a list, or others are to have a turn. */
  #mustPause(): boolean {
    const { vcpu, requests } = this.#domain;
    return (vcpu.isUpcallPending && !vcpu.isUpcallMasked) || requests.upTo(1) === 0;
  }

  /** Behind IRET the guest is elsewhere, and hears no more of the list. */
  #callEntry(at: bigint): 'done' | 'goes on' | { readonly result: bigint } {
    const { guest, width } = this.#domain;
    const { offsets } = multicall_entry.layout(width);
    const { op, args } = readStruct(guest, multicall_entry, width, at);
    const number = Number(BigInt.asUintN(32, op));
    const result = this.call(number, args);
    if (result instanceof Continuation) {
      result.args.forEach((value, i) => {
        guest.writeWord(at + BigInt(offsets.args + (i * width) / 8), value, width);
      });
      return 'goes on';
    }
    guest.writeWord(at + BigInt(offsets.result), result, width);
    return number === HYPERCALLS.iret ? { result } : 'done';
  }
}

const nameOf = (number: number): string =>
  Object.entries(HYPERCALLS).find(([, known]) => known === number)?.[0] ?? 'not one of Xen’s';
