/** The kernel's layouts of signals against what gcc makes of this machine's own headers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BUS_ADRALN,
  bits,
  FPE,
  ILL_ILLOPN,
  NSIG,
  REG,
  SA,
  SEGV,
  SI,
  SIG,
  SIG_HOW,
  SIGRTMIN,
  SS,
  siginfoFault,
  siginfoFields,
  siginfoHead,
  siginfoSent,
  siginfoSize,
  siginfoTimer,
  signalName,
  stack_t,
  TRAP_BRKPT,
  ucontext,
} from '../../../../runtime/minios/abi/signal.ts';
import { testFile, Workbench } from '../../../support/program.ts';

const signal = suite<{ bench: Workbench }>('runtime/minios/abi/signal');

signal.before((context) => {
  context.bench = new Workbench();
});
signal.after(({ bench }) => bench.remove());

const prefixed = (prefix: string, offsets: Readonly<Record<string, number>>, at = 0): string[] =>
  Object.entries(offsets).map(([name, offset]) => `${prefix}${name} ${offset + at}`);

/** What is here, as the program prints it. */
function ours(width: 64 | 32): string[] {
  const fields = siginfoFields[width];
  const { gregs, fpregs, rest: _, ...context } = ucontext.layout(width).offsets;
  const { si_tid, si_overrun } = siginfoTimer.layout(width).offsets;
  return [
    `sizeof siginfo_t ${siginfoSize}`,
    ...prefixed('siginfo_t.', siginfoHead.layout(width).offsets),
    ...prefixed('siginfo_t.', siginfoSent.layout(width).offsets, fields),
    ...prefixed('siginfo_t.', { si_timerid: si_tid, si_overrun }, fields),
    ...prefixed('siginfo_t.', siginfoFault.layout(width).offsets, fields),
    `sizeof stack_t ${stack_t.layout(width).size}`,
    ...prefixed('stack_t.', stack_t.layout(width).offsets),
    ...prefixed('ucontext_t.', { ...context, uc_mcontext: gregs }),
    `mcontext_t.fpregs ${fpregs - gregs}`,
    ...prefixed('SI_', SI),
    ...prefixed('FPE_', FPE),
    ...prefixed('SEGV_', SEGV),
    ...prefixed('SS_', SS),
    ...prefixed('SIG_', SIG_HOW),
    ...prefixed('(int)SA_', { ...SA, RESETHAND: SA.RESETHAND | 0 }),
    ...prefixed('SIG', { HUP: SIG.HUP, SYS: SIG.SYS, RTMIN: SIGRTMIN }),
    ...prefixed('', { NSIG, ILL_ILLOPN, BUS_ADRALN, TRAP_BRKPT }),
  ];
}

for (const width of [64, 32] as const)
  signal(`x86-${width}: every field and number is glibc’s`, async ({ bench }) => {
    const program = { files: [testFile('guests/c/signal-layout.c')] };

    const { output } = await bench.runNative(program, width);

    const lines = output.toString().trim().split('\n');
    assert.ok(lines.length > 80);
    assert.equal(
      ours(width).filter((line) => !lines.includes(line)),
      [],
    );
    const registers = lines.filter((line) => line.startsWith('REG_'));
    const known = prefixed('REG_', REG[width]);
    assert.ok(registers.length > 15);
    assert.equal(
      registers.filter((line) => !known.includes(line)),
      [],
    );
  });

signal('a set has bit n - 1 for signal n, and signals have names', () => {
  assert.is(bits(SIG.HUP, SIG.INT, 64), (1n << 63n) | 3n);
  assert.equal([11, 34, 40].map(signalName), ['SIGSEGV', 'SIGRTMIN', 'SIGRTMIN+6']);
});

signal.run();
