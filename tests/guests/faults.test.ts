/** How guests in C stop: one report that says what, where and who called, and the status that a shell would show. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Width } from '../../toolchain/index.ts';
import { type GuestOutcome, type Program, testFile, Workbench } from '../support/program.ts';

const faults = suite<{ bench: Workbench }>('guests/faults');

faults.before((context) => {
  context.bench = new Workbench();
});
faults.after(({ bench }) => bench.remove());

const program = (...options: string[]): Program => ({
  files: [testFile('guests/c/faults.c')],
  options,
});

/** Of faults.c, in the way `how`. */
function fail(
  bench: Workbench,
  width: Width,
  how: string,
  ...options: string[]
): Promise<GuestOutcome> {
  return bench.runGuest(program(...options), width, {
    arguments: [how],
    memory: 32 * 2 ** 20,
  });
}

interface Fault {
  readonly how: string;
  readonly status: number;
  readonly what: RegExp;
  /** The function, or what else has a name there. */
  readonly at?: string;
  readonly width?: Width;
}

// biome-ignore format: a table
const table: readonly Fault[] = [
  { how: 'null-read', status: 139, what: /#PF: reading from 0x0: a NULL pointer/, at: 'inner' },
  { how: 'null-write', status: 139, what: /#PF: writing to 0x0: a NULL pointer/, at: 'inner' },
  { how: 'null-field', status: 139, what: /#PF: reading from 0x1234: a NULL pointer/, at: 'inner' },
  { how: 'null-call', status: 139, what: /#PF: executing at 0x0: a NULL pointer/ },
  { how: 'wild-read', status: 139, what: /#PF: reading from 0x70000004: no memory is there/, at: 'inner' },
  { how: 'wild-write', status: 139, what: /#PF: writing to 0xfffffff8: no memory is there/, at: 'inner' },
  { how: 'wild-call', status: 139, what: /#PF: executing at 0x70000000: no memory is there/ },
  { how: 'non-canonical', status: 139, what: /#GP: /, at: 'inner', width: 64 },
  { how: 'top', status: 139, what: /#PF: reading from 0xfffffffffffffff0: no memory is there/, at: 'inner', width: 64 },
  { how: 'write-text', status: 139, what: /#PF: writing to 0x1[0-9a-f]+: read-only code of the image \(inner\)/, at: 'inner' },
  { how: 'write-constant', status: 139, what: /#PF: writing to 0x1[0-9a-f]+: read-only data of the image \(constant\)/, at: 'inner' },
  { how: 'call-data', status: 139, what: /#PF: executing at 0x1[0-9a-f]+: data \(variable\), not code/, at: 'variable' },
  { how: 'call-constant', status: 139, what: /#PF: executing at 0x1[0-9a-f]+: data \(constant\), not code/, at: 'constant' },
  { how: 'endless', status: 139, what: /#PF: writing to 0x7f[0-9a-f]{4}: stack overflow: the stack of 8388608 bytes ends at 0x7ff000/, at: 'endless' },
  { how: 'wide', status: 139, what: /stack overflow: the stack of 8388608 bytes/, at: 'wide' },
  { how: 'huge', status: 139, what: /stack overflow: the stack of 8388608 bytes/, at: 'huge' },
  { how: 'misaligned', status: 139, what: /#GP: a misaligned operand.*: movaps .*\(0f 29 05/, at: 'misaligned' },
  { how: 'divide', status: 136, what: /#DE: division by zero, or a quotient that does not fit: idiv /, at: 'inner' },
  { how: 'divide-overflow', status: 136, what: /#DE: .*: idiv /, at: 'inner' },
  { how: 'unmasked', status: 136, what: /#MF: x87 exception that is not masked/, at: 'unmasked' },
  { how: 'trap', status: 132, what: /#UD: ud2 \(0f 0b\)/, at: 'inner' },
  { how: 'rdseed', status: 132, what: /#UD: x86: no semantics for rdseed eax \(0f c7 f8\)/, at: 'inner' },
  { how: 'port', status: 139, what: /#GP: .*what only a kernel may do: out 80h,al \(e6 80\)/, at: 'inner' },
  { how: 'privileged', status: 139, what: /#GP: .*what only a kernel may do: hlt \(f4\)/, at: 'inner' },
  { how: 'garbage', status: 132, what: /#UD: ud0 .*\(0f ff/, at: 'inner' },
  { how: 'breakpoint', status: 133, what: /#BP: breakpoint \(int3\): int 3 \(cc\)/, at: 'inner' },
  { how: 'syscall', status: 139, what: /#GP: nobody handles int 80h \(cd 80\)/, at: 'inner' },
  { how: 'abort', status: 134, what: /abort\(\)/, at: 'minios_abort' },
];

/** Every register of the width with its value. */
const registers = {
  64: / {2}rax [0-9a-f]{16} {2}rcx .*\n.*rsp [0-9a-f]{16}.*\n.*\n {2}r12 .* r15 [0-9a-f]{16}\n {2}rip [0-9a-f]{16} {2}eflags/,
  32: / {2}eax [0-9a-f]{8} {2}ecx .*\n {2}esp [0-9a-f]{8}.*\n {2}eip [0-9a-f]{8} {2}eflags/,
} as const;

function check(outcome: GuestOutcome, { status, what, at }: Fault, width: Width): void {
  const { report = '' } = outcome;
  assert.is(outcome.output.toString(), 'before\n');
  assert.is(outcome.reason, 'fault');
  assert.match(report.split('\n')[0] ?? '', what);
  assert.is(outcome.status, status, report);
  if (at !== undefined)
    assert.match(report, new RegExp(`\\n {2}at {6}0x[0-9a-f]+ \\(${at}(\\.cold)?\\+0x`));
  assert.match(report, /\n {2}thread {2}main, stack 0x7ff000 to 0xfff000\n/);
  assert.match(report, registers[width]);
  // Nearest first: outer is called by nobody but main.
  const callers = report.slice(report.indexOf('called from'));
  if (at !== 'inner')
    assert.match(callers, /\(inner(\.cold)?\+0x.*\n(.*\n)* {4}0x[0-9a-f]+ \(outer\+0x/);
  assert.match(callers, /\(outer\+0x/);
  assert.not.match(report, /\.[jt]s:\d|wasm/);
}

for (const width of [64, 32] as const)
  for (const level of ['-O0', '-O2'])
    for (const fault of table.filter((row) => (row.width ?? width) === width))
      faults(`x86-${width} ${level}: ${fault.how} ends with ${fault.status}`, async ({ bench }) => {
        // Tail calls leave no trace of who made them.
        const options = [level, '-fno-optimize-sibling-calls'];

        const outcome = await fail(bench, width, fault.how, ...options);

        check(outcome, fault, width);
      });

for (const width of [64, 32] as const) {
  faults(`x86-${width}: without symbols places are addresses alone`, async ({ bench }) => {
    const { status, report = '' } = await fail(bench, width, 'null-write', '-O2', '-s');

    assert.is(status, 139);
    assert.match(report, /\n {2}at {6}0x1[0-9a-f]+: mov /);
    assert.match(report, /called from\n( {4}0x1[0-9a-f]+ \?\n?)+$/);
    assert.not.match(report, /\+0x/);
  });

  faults(`x86-${width}: an exit status is the low byte of exit’s`, async ({ bench }) => {
    for (const status of [0, 1, 2, 77, 127, 128, 255, 256, 300, -1]) {
      const outcome = await fail(bench, width, String(status), '-O2');

      assert.equal([outcome.status, outcome.reason], [status & 255, 'exit']);
      assert.is(outcome.report, undefined);
    }
  });
}

faults('the test’s program names every way to fail', () => {
  const source = readFileSync(testFile('guests/c/faults.c'), 'utf8');

  const ways = [...source.matchAll(/!strcmp\(how, "([\w-]+)"\)/g)].map(([, how]) => how);

  assert.equal(ways.sort(), table.map(({ how }) => how).sort());
});

faults.run();
