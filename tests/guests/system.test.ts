/** What programs ask of the system: limits, names, clocks, patterns, options; and what a domain cannot do. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Program, testFile, Workbench } from '../support/program.ts';

const system = suite<{ bench: Workbench }>('guests/system');

system.before((context) => {
  context.bench = new Workbench();
});
system.after(({ bench }) => bench.remove());

const program = (name: string): Program => ({
  files: [testFile(`guests/c/${name}.c`)],
  options: ['-O1', '-w'],
});

for (const width of [64, 32] as const) {
  system(`x86-${width}: system.c prints what it prints on Linux`, async ({ bench }) => {
    const native = await bench.runNative(program('system'), width);

    const guest = await bench.runGuest(program('system'), width);

    assert.equal(
      guest.output.toString().split('\n').filter(isNotAWarning),
      native.output.toString().split('\n').filter(isNotAWarning),
      guest.report,
    );
    assert.equal([native.status, guest.status], [7, 7]);
    assert.equal(guest.output.toString().split('\n').filter(isWarning), [
      'guest.elf: warned 1: No such file or directory',
      'guest.elf: no error here',
      'guest.elf: both 5',
      'guest.elf: both 5: Invalid argument',
      'guest.elf: the end: No such file or directory',
    ]);
  });

  system(
    `x86-${width}: fork and exec fail and say so once, and the log is the console`,
    async ({ bench }) => {
      const guest = await bench.runGuest(program('alone'), width);

      const lines = guest.output.toString().split('\n');
      for (const name of ['fork', 'exec', 'system'])
        assert.is(
          lines.filter((line) => line === `Mini-OS: ${name} is not there: a domain is one process`)
            .length,
          1,
        );
      assert.is(lines.filter((line) => line.endsWith(': ENOSYS')).length, 6);
      const from = lines.findIndex((line) => line.endsWith('system(NULL): 0'));
      assert.equal(lines.slice(from + 1).map(withoutLine), [
        'setuid(5): EPERM',
        'sethostname("other", 5): 0',
        'Mini-OS other',
        '1 1',
        'program[1]: 3 times: No such file or directory, 100%',
        'nobody',
        'list: of a list 7',
        'ids 1 0 0 1 -1',
        'login root 0 root',
        'groups 0 -1',
        'initgroups 0 0',
        'host 1',
        'owner 1',
        'lchmod 0, fifos 2',
        'vfork -1 -1 -1 -1 -1 -1 -1 1 -1',
        'loading 1 0 1 -1',
        'alarm 0 1',
        'psignal: Interrupt',
        'spawn ENOSYS',
        'execvpe -1, setpgrp 0',
        'time 0 1',
        '',
      ]);
      assert.is(guest.status, 0, guest.report);
    },
  );
}

const withoutLine = (line: string): string => line.replace(/^\d+ (?=\w+\()/, '');

for (const [how, status, last] of [
  ['errx', 6, 'the end'],
  ['verr', 8, 'ended by verr: Bad file number'],
  ['verrx', 9, 'ended by verrx'],
] as const)
  system(`x86-64: ${how} says why, and ends it`, async ({ bench }) => {
    const guest = await bench.runGuest(program('system'), 64, { arguments: [how] });

    assert.is(guest.output.toString().trim().split('\n').at(-1), `guest.elf: ${last}`);
    assert.is(guest.status, status, guest.report);
  });

/** Of err.h, on stderr, where Linux's has no other order with stdout than a guest's console. */
const isWarning = (line: string): boolean =>
  /^\S+: (warned|no error|both|ended|the end)/.test(line);
const isNotAWarning = (line: string): boolean => !isWarning(line);

system.run();
