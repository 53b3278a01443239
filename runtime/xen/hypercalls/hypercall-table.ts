/** Hypercalls by number: finds one, gives it its arguments, and says what rax becomes. Multicalls go round through it. */
import { XEN_ERRNO } from '../../abi/errno.ts';
import { HYPERCALLS, type HypercallName, multicall_entry } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import type { Trace } from '../../trace.ts';
import { RAX, RBP, RBX, RCX, RDI, RDX, RSI } from '../../x86/registers.ts';
import type { DomainContext } from '../domain-context.ts';
import { readStruct } from '../guest-array.ts';
import type { Hypercall, HypercallHandlers } from './hypercall.ts';

/** Registers that have the arguments, first to last. */
const argumentRegisters = {
  64: [RDI, RSI, RDX, 10, 8, 9],
  32: [RBX, RCX, RDX, RSI, RDI, RBP],
} as const;

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
    return this.call(
      number,
      registers.map((register) => cpu.register(register)),
    );
  }

  call(number: number, args: readonly bigint[]): bigint {
    const { width } = this.#domain;
    const row = this.#rows.get(number);
    if (row === undefined) return this.#missing(number);
    const given = args.slice(0, row.hypercall.arguments);
    const result = BigInt.asUintN(width, this.#run(row, given));
    this.#tell(row, given, result);
    return result;
  }

  #run({ name, hypercall }: Row, args: readonly bigint[]): bigint {
    try {
      return BigInt(hypercall.call(this.#domain, args) ?? 0);
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
      const errno = XEN_ERRNO[error.errno];
      if (errno === undefined) throw new TypeError(`${name}: Xen has no error ${error.errno}`);
      this.#trace?.({ kind: 'hypercall', text: `${name}: ${error.errno}: ${error.message}` });
      return BigInt(-errno);
    }
  }

  #missing(number: number): bigint {
    if (!this.#unknown.has(number)) {
      this.#unknown.add(number);
      this.#domain.log(`hypercall ${number} (${nameOf(number)}) is answered with -ENOSYS`);
    }
    return BigInt.asUintN(this.#domain.width, BigInt(-(XEN_ERRNO['ENOSYS'] ?? 0)));
  }

  #tell({ name, hypercall }: Row, args: readonly bigint[], result: bigint): void {
    if (this.#trace === undefined) return;
    const { width } = this.#domain;
    const what = hypercall.describe?.(this.#domain, args);
    const called = what === undefined ? name : `${name}.${what}`;
    const given = args.map((arg) => `0x${arg.toString(16)}`).join(', ');
    const answer = BigInt.asIntN(width, result);
    const text = `${called}(${given}) = ${answer < -0x1000n ? `0x${result.toString(16)}` : answer}`;
    this.#trace({ kind: 'hypercall', text });
  }

  /** Each entry in its turn; an entry's own failure is its own result. */
  #multicall(): Hypercall {
    let isInside = false;
    return {
      arguments: 2,
      call: (domain, [list = 0n, rawCount = 0n]) => {
        if (isInside) throw new XenError('EINVAL', 'a multicall inside of a multicall');
        const count = Number(BigInt.asUintN(32, rawCount));
        domain.requests.take(count, 'multicall');
        const { size, offsets } = multicall_entry.layout(domain.width);
        isInside = true;
        try {
          for (let index = 0; index < count; index++) {
            const { op, args } = readStruct(
              domain.guest,
              multicall_entry,
              domain.width,
              list,
              index,
            );
            const result = this.call(Number(BigInt.asUintN(32, op)), args);
            const place = list + BigInt(index * size + offsets.result);
            domain.guest.writeWord(place, result, domain.width);
          }
        } finally {
          isInside = false;
        }
      },
    };
  }
}

const nameOf = (number: number): string =>
  Object.entries(HYPERCALLS).find(([, known]) => known === number)?.[0] ?? 'not one of Xen’s';
