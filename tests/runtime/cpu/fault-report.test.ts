/** What a person reads after a fault. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FaultPlace, faultReporter } from '../../../runtime/cpu/fault-report.ts';
import type { Leave } from '../../../runtime/cpu/leave.ts';
import { LinearAddressSpace } from '../../../runtime/memory/address-space.ts';
import { GuestMemory } from '../../../runtime/memory/guest-memory.ts';
import { MachineMemory } from '../../../runtime/memory/machine-memory.ts';
import { RBP, RSP } from '../../../runtime/x86/registers.ts';

const report = suite('runtime/cpu/fault-report');

const stack = { low: 0xf0_0000n, high: 0x100_0000n };
const text = 0x100_0000n;
const place: FaultPlace = { thread: 'main', stack };

/** mov [rax],ebx at +0; call +0x20 at +0x10, ending at +0x15; call rax at +0x30, ending at +0x32; ud2 at +0x40; a frame made at +0x60; int 80h at +0x70. */
const code = new Uint8Array(0x1000);
code.set([0x89, 0x18], 0);
code.set([0xe8, 0x0b, 0, 0, 0], 0x10);
code.set([0xff, 0xd0], 0x30);
code.set([0x0f, 0x0b], 0x40);
code.set([0x66, 0x0f, 0xff], 0x50);
code.set([0x55, 0x48, 0x89, 0xe5, 0x0f, 0x0b], 0x60);
code.set([0xcd, 0x80], 0x70);

const names = [
  { name: 'store', at: 0n },
  { name: 'caller', at: 0x10n },
  { name: 'outer', at: 0x2cn },
  { name: 'framed', at: 0x60n },
];

function scene(registers: Readonly<Record<number, bigint>> = {}, rip = text) {
  const machine = new MachineMemory();
  const length = text + 0x3000n - stack.low;
  const host = machine.allocate(Number(length));
  const space = new LinearAddressSpace(machine, { lo: stack.low, length, host });
  space.protect(text, 0x1000, false);
  space.unmap(text + 0x2000n, 0x1000);
  const memory = new GuestMemory(machine, space);
  machine.bytes().set(code, host + Number(text - stack.low));
  const segment = { fileOffset: 0, memorySize: 0x1000n, readable: true, bytes: code };
  const reporter = faultReporter({
    domain: 'x.elf',
    memory,
    cpu: {
      ...{ mode: 64, rip, eflags: 0x246n },
      register: (n) => registers[n] ?? (n === RSP ? stack.high - 64n : BigInt(n)),
    },
    segments: [{ ...segment, address: text, physical: text, writable: false, executable: true }],
    symbols: {
      functions: () => [],
      find: (address) => {
        const found = names.findLast(({ at }) => address >= text + at && address < text + 0x1000n);
        return found && { name: found.name, offset: address - text - found.at };
      },
    },
  });
  return { reporter, memory };
}

const fault = (vector: number, more: Partial<Leave & { reason: 'exception' }> = {}): Leave => ({
  ...{ reason: 'exception', vector, errorCode: undefined, address: undefined, detail: undefined },
  ...more,
});

const explained = async (
  address: bigint,
  errorCode: number,
  registers: Readonly<Record<number, bigint>> = {},
): Promise<string> =>
  (await scene(registers).reporter.explain(fault(14, { address, errorCode }), place)).what;

report('a page fault says what was done where, and why it cannot be', async () => {
  assert.is(await explained(0n, 0), '#PF: reading from 0x0: a NULL pointer');
  assert.is(await explained(0x18n, 2), '#PF: writing to 0x18: a NULL pointer');
  assert.is(
    await explained(0xdead_0000_0000n, 2),
    '#PF: writing to 0xdead00000000: no memory is there',
  );
  assert.is(
    await explained(text + 4n, 3),
    '#PF: writing to 0x1000004: read-only code of the image (store)',
  );
  assert.is(
    await explained(text + 0x2008n, 2),
    '#PF: writing to 0x1002008: read-only or unused memory',
  );
  assert.is(await explained(0x1234_5678n, 16), '#PF: executing at 0x12345678: no memory is there');
});

report('a store below the stack is a stack overflow, however large the frame', async () => {
  const overflow = 'stack overflow: the stack of 1048576 bytes ends at 0xf00000';

  assert.is(
    await explained(stack.low - 8n, 2, { [RSP]: stack.low }),
    `#PF: writing to 0xeffff8: ${overflow}`,
  );
  assert.ok(
    (await explained(stack.low - 0x40_0000n, 2, { [RSP]: stack.low - 0x40_0000n })).endsWith(
      overflow,
    ),
  );
  assert.not((await explained(stack.low - 0x40_0000n, 2)).endsWith(overflow));
});

report('each fault has the status that a shell would show', async () => {
  const status = async (vector: number): Promise<number> =>
    (await scene().reporter.explain(fault(vector), place)).status;

  const statuses = await Promise.all([0, 6, 13, 14, 12, 16, 19].map(status));

  assert.equal(statuses, [136, 132, 139, 139, 139, 136, 136]);
});

report('an invalid instruction is named with its bytes', async () => {
  const { reporter } = scene({}, text + 0x40n);

  assert.is(
    (await reporter.explain(fault(6), place)).what,
    '#UD: invalid instruction: ud2 (0f 0b)',
  );
  assert.is(
    (await reporter.explain(fault(6, { detail: 'x86: no semantics for xend (0f 01 d5)' }), place))
      .what,
    '#UD: x86: no semantics for xend (0f 01 d5)',
  );
});

report('the report has the place, the instruction, registers, flags and the thread', async () => {
  const lines = (await scene().reporter.report('#PF: reason', place)).split('\n');

  assert.is(lines[0], 'x.elf: #PF: reason');
  assert.is(lines[1], '  at      0x1000000 (store+0x0): mov [rax],ebx (89 18)');
  assert.is(lines[2], '  thread  main, stack 0xf00000 to 0x1000000');
  assert.is(
    lines[3],
    '  rax 0000000000000000  rcx 0000000000000001  rdx 0000000000000002  rbx 0000000000000003',
  );
  assert.is(lines[7], '  rip 0000000001000000  eflags 246 [PF ZF IF]');
});

report('without frame pointers the stack is searched for what follows a call', async () => {
  const { reporter, memory } = scene();
  memory.writeU64(stack.high - 56n, text + 0x15n);
  memory.writeU64(stack.high - 48n, text + 0x16n);
  memory.writeU64(stack.high - 40n, text + 0x32n);
  memory.writeU64(stack.high - 32n, text + 0x32n);

  const lines = (await reporter.report('reason', place)).split('\n');

  assert.equal(lines.slice(lines.indexOf('  called from') + 1), [
    '    0x1000015 (caller+0x5) ?',
    '    0x1000032 (outer+0x6) ?, 2 times',
  ]);
});

/** A chain of two frames, and below it what may be a return address. */
function framed(rip: bigint) {
  const { reporter, memory } = scene({ [RBP]: stack.high - 48n }, rip);
  memory.writeU64(stack.high - 56n, text + 0x32n);
  memory.writeU64(stack.high - 48n, stack.high - 24n);
  memory.writeU64(stack.high - 40n, text + 0x15n);
  memory.writeU64(stack.high - 16n, text + 0x32n);
  return reporter;
}

report('a chain of frame pointers is believed', async () => {
  const lines = (await framed(text + 0x64n).report('reason', place)).split('\n');

  assert.equal(lines.slice(lines.indexOf('  called from') + 1), [
    '    0x1000015 (caller+0x5)',
    '    0x1000032 (outer+0x6)',
  ]);
});

report('a function without a frame of its own is looked for below the chain', async () => {
  for (const rip of [0n, text, text + 0x60n]) {
    const lines = (await framed(rip).report('reason', place)).split('\n');

    assert.equal(lines.slice(lines.indexOf('  called from') + 1), [
      '    0x1000032 (outer+0x6) ?',
      '    0x1000015 (caller+0x5)',
      '    0x1000032 (outer+0x6)',
    ]);
  }
});

report('recursion is one line, and of many callers the outermost are shown, too', async () => {
  const { reporter, memory } = scene({ [RSP]: stack.high - 0x4000n });
  for (let i = 0n; i < 1000n; i++) memory.writeU64(stack.high - 0x3000n + 8n * i, text + 0x15n);
  for (let i = 0n; i < 30n; i++)
    memory.writeU64(stack.high - 0x200n + 8n * i, text + (i % 2n === 0n ? 0x32n : 0x15n));

  const lines = (await reporter.report('reason', place)).split('\n');

  const callers = lines.slice(lines.indexOf('  called from') + 1);
  assert.is(callers[0], '    0x1000015 (caller+0x5) ?, 1000 times');
  assert.is(callers.length, 17);
  assert.is(callers[10], '    … 15 more …');
  assert.is(callers[16], '    0x1000015 (caller+0x5) ?');
});

report('what a trap leaves behind the instruction pointer is named', async () => {
  const { reporter } = scene({}, text + 0x72n);

  const explained = await reporter.explain(fault(0x80), place);

  assert.is(explained.what, '#GP: nobody handles int 80h (cd 80)');
  assert.is(explained.at, text + 0x70n);
});

report(
  'a place without code, a stack pointer gone astray and no thread are no obstacles',
  async () => {
    const { reporter } = scene({ [RSP]: 0xffff_ffff_ffff_fff0n, [RBP]: 1n }, 0n);

    assert.match(await reporter.report('x', place), /at {6}0x0: no code is there/);
    assert.match(await reporter.report('x', place), /nobody: no return address is on the stack/);
    assert.match(
      await reporter.report('x', { thread: 'none', stack: undefined }),
      /no thread is running/,
    );
  },
);

report.run();
