/** Lists that are gone on with, and lists of calls. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HYPERCALLS, multicall_entry } from '../../../../runtime/abi/xen.ts';
import type { Width } from '../../../../runtime/memory/layout.ts';
import { RAX, RBX, RCX, RDI, RSI } from '../../../../runtime/x86/registers.ts';
import {
  Continuation,
  type HypercallHandlers,
} from '../../../../runtime/xen/hypercalls/hypercall.ts';
import { HypercallTable } from '../../../../runtime/xen/hypercalls/hypercall-table.ts';
import { testDomain } from '../../../support/xen-domain.ts';

const test = suite('runtime/xen/hypercalls/hypercall-table');

const widths: readonly Width[] = [64, 32];

function scene(width: Width) {
  const { domain, address } = testDomain(width);
  const { guest, memory, sharedInfo, vcpu } = domain;
  const calls: (readonly bigint[])[] = [];
  const answers: (bigint | Continuation)[] = [];
  const handlers: HypercallHandlers = {
    xen_version: {
      arguments: 2,
      call: (_, args) => {
        calls.push(args);
        return answers.shift() ?? 7n;
      },
    },
    sched_op: {
      arguments: 1,
      call: () => {
        memory.bytes()[sharedInfo] = 1;
        return undefined;
      },
    },
    iret: { arguments: 0, call: () => 77n },
  };
  const { size, offsets } = multicall_entry.layout(width);
  const put = (names: readonly (keyof typeof HYPERCALLS)[]): void =>
    names.forEach((name, i) => {
      const at = address + BigInt(i * size);
      guest.writeWord(at, BigInt(HYPERCALLS[name]), width);
      guest.writeWord(at + BigInt(offsets.result), 0x55n, width);
    });
  const result = (i: number): bigint =>
    guest.readWord(address + BigInt(i * size + offsets.result), width);
  const table = new HypercallTable(domain, handlers);
  const multicall = (count: number) => table.call(HYPERCALLS.multicall, [address, BigInt(count)]);
  const entry = (i: number): bigint => address + BigInt(i * size);
  return { domain, vcpu, table, calls, answers, put, result, multicall, entry };
}

for (const width of widths) {
  const [first, second] = width === 64 ? [RDI, RSI] : [RBX, RCX];

  test(`${width}: what goes on is asked for again, by the instruction that asked for it`, () => {
    const { domain, table, answers } = scene(width);
    const { cpu } = domain;
    answers.push(new Continuation([5n, 6n]));
    cpu.rip = 0x1002n;
    cpu.setRegister(RAX, BigInt(HYPERCALLS.xen_version));

    const rax = table.dispatch();

    assert.is(rax, BigInt(HYPERCALLS.xen_version));
    assert.is(cpu.rip, 0x1000n);
    assert.equal([cpu.register(first), cpu.register(second)], [5n, 6n]);
  });

  test(`${width}: a call of a list that goes on keeps its place there`, () => {
    const { table, answers, put, result, multicall, entry, calls } = scene(width);
    put(['xen_version', 'xen_version', 'xen_version']);
    answers.push(1n, new Continuation([5n, 6n]), 2n, 3n);

    const rest = multicall(3);

    assert.ok(rest instanceof Continuation);
    assert.equal(rest.args, [entry(1), 2n]);
    assert.equal([result(0), result(1)], [1n, 0x55n]);
    assert.is(table.call(HYPERCALLS.multicall, rest.args), 0n);
    assert.equal([result(1), result(2)], [2n, 3n]);
    assert.equal(calls[2], [5n, 6n]);
  });

  test(`${width}: between two calls of a list the guest hears of an event, if it wants to`, () => {
    for (const isMasked of [true, false]) {
      const { vcpu, put, result, multicall, entry } = scene(width);
      put(['sched_op', 'xen_version']);
      vcpu.isUpcallMasked = isMasked;

      const rest = multicall(2);

      if (isMasked) assert.equal([rest, result(1)], [0n, 7n]);
      else assert.equal([rest, result(1)], [new Continuation([entry(1), 1n]), 0x55n]);
    }
  });

  test(`${width}: an event behind the last call is heard of behind the list`, () => {
    const { vcpu, put, multicall } = scene(width);
    put(['xen_version', 'sched_op']);
    vcpu.isUpcallMasked = false;

    assert.is(multicall(2), 0n);
  });

  test(`${width}: IRET ends a list, and its register is the answer`, () => {
    const { put, result, multicall } = scene(width);
    put(['xen_version', 'iret', 'xen_version']);

    assert.is(multicall(3), 77n);
    assert.equal([result(0), result(1), result(2)], [7n, 77n, 0x55n]);
  });
}

test.run();
