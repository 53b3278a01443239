/** Signals among threads, and from a terminal: who takes them, and which calls they end. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { POLL } from '../../../../runtime/minios/abi/posix.ts';
import { bits, MINIOS_SA_ASIDE, SA, SIG, SIG_HOW } from '../../../../runtime/minios/abi/signal.ts';
import { type Application, application, scratch } from '../../../support/application.ts';
import type { FakeCpu, Step } from '../../../support/fake-cpu.ts';

const signals = suite('runtime/minios/kernel/signals');

const entry = (n: number): bigint => 0x100_0100n + BigInt(n) * 0x40n;
const exit: Step = (cpu) => cpu.call('minios_exit', 0);
const then =
  (body: (cpu: FakeCpu) => void): Step =>
  (cpu) => {
    body(cpu);
    return undefined;
  };
const schedule: Step = (cpu) => cpu.call('schedule');
const send =
  (signal: number): Step =>
  (cpu) =>
    cpu.call('minios_signal', 0, signal, 0, 0);

/** Sets the handler at entry(0), which notes the signal and who runs it. */
function handle(guest: Application, log: string[], signal: number, flags = 0): Step {
  guest.cpu.load(entry(0), [
    then((cpu) => {
      const { current } = guest.kernel.threads;
      log.push(`${cpu.register(7)} on ${current && guest.kernel.threads.nameOf(current)}`);
    }),
  ]);
  return (cpu) => {
    const words = new DataView(new ArrayBuffer(24));
    words.setBigUint64(0, entry(0), true);
    words.setUint32(16, flags, true);
    guest.memory.writeBytes(scratch, new Uint8Array(words.buffer));
    return cpu.call('minios_sigaction', signal, Number(scratch), 0);
  };
}

const mask =
  (guest: Application, how: number, ...blocked: readonly number[]): Step =>
  (cpu) => {
    guest.memory.writeU64(scratch, bits(...blocked));
    return cpu.call('minios_sigprocmask', how, Number(scratch), 0);
  };

const create =
  (guest: Application, name: string, ...steps: readonly Step[]): Step =>
  (cpu) => {
    guest.cpu.load(entry(1), steps);
    const text = guest.text(name, scratch + 0x80n);
    return cpu.call('create_thread', Number(text), Number(entry(1)), 0);
  };

signals(
  'a signal goes to a thread that does not block it, with the mask of who made that',
  async () => {
    const guest = application();
    const log: string[] = [];

    await guest.run(
      handle(guest, log, SIG.USR1),
      create(guest, 'worker', schedule),
      mask(guest, SIG_HOW.BLOCK, SIG.USR1),
      send(SIG.USR1),
      schedule,
      mask(guest, SIG_HOW.UNBLOCK, SIG.USR1),
      send(SIG.USR1),
      exit,
    );

    assert.equal(log, ['10 on worker', '10 on main']);
  },
);

signals('what all block waits for the first that does no more', async () => {
  const guest = application();
  const log: string[] = [];

  await guest.run(
    handle(guest, log, SIG.USR1),
    mask(guest, SIG_HOW.BLOCK, SIG.USR1),
    create(guest, 'worker', mask(guest, SIG_HOW.UNBLOCK, SIG.USR1), schedule),
    send(SIG.USR1),
    then(() => log.push('sent')),
    schedule,
    exit,
  );

  assert.equal(log, ['sent', '10 on worker']);
});

signals('one that waits for it takes it, and no handler runs', async () => {
  const guest = application();
  const log: string[] = [];

  await guest.run(
    handle(guest, log, SIG.USR1),
    mask(guest, SIG_HOW.BLOCK, SIG.USR1),
    create(
      guest,
      'worker',
      (cpu) => {
        guest.memory.writeU64(scratch, bits(SIG.USR1));
        return cpu.call('minios_sigtimedwait', Number(scratch), 0, -1n);
      },
      then((cpu) => log.push(`took ${cpu.result}`)),
    ),
    schedule,
    send(SIG.USR1),
    schedule,
    exit,
  );

  assert.equal(log, ['took 10']);
});

for (const { name, flags, call, result } of [
  { name: 'a handler ends a read with EINTR', flags: 0, call: 'read', result: -4 },
  { name: 'SA_RESTART lets a read go on', flags: SA.RESTART, call: 'read', result: 5 },
  { name: 'SA_RESTART lets no poll go on', flags: SA.RESTART, call: 'poll', result: -4 },
  {
    name: 'a handler that runs aside ends no poll',
    flags: MINIOS_SA_ASIDE,
    call: 'poll',
    result: 1,
  },
] as const)
  signals(name, async () => {
    const guest = application();
    const log: string[] = [];
    const buffer = scratch + 0x100n;
    const waits: Readonly<Record<typeof call, Step>> = {
      read: (cpu) => cpu.call('minios_read', 0, Number(buffer), 100),
      poll: (cpu) => {
        guest.memory.writeU64(buffer, BigInt(POLL.IN) << 32n);
        return cpu.call('minios_poll', Number(buffer), 1, -1);
      },
    };
    setTimeout(() => {
      guest.kernel.signals.raise(SIG.USR1);
      if (result > 0) guest.console.write('typed');
      guest.changed.raise();
    }, 5);

    await guest.run(
      handle(guest, log, SIG.USR1, flags),
      waits[call],
      then((cpu) => log.push(`${cpu.result}`)),
      exit,
    );

    assert.equal(log, ['10 on main', `${result}`]);
  });

signals('^C is SIGINT though the program reads nothing, and by default its end', async () => {
  const guest = application({ isTerminal: true });
  guest.console.write('\x03');

  const ending = await guest.run(
    then((cpu) => {
      cpu.polls = 0;
    }),
    (cpu) => cpu.call('minios_exit', 99),
  );

  assert.equal(ending, { status: 130, reason: 'stopped' });
});

signals('^C ends a wait for signals where it is handled', async () => {
  const guest = application({ isTerminal: true });
  const log: string[] = [];
  setTimeout(() => guest.console.write('\x03'), 5);

  await guest.run(
    handle(guest, log, SIG.INT),
    (cpu) => {
      guest.memory.writeU64(scratch, 0n);
      return cpu.call('minios_sigsuspend', Number(scratch));
    },
    then((cpu) => log.push(`${cpu.result}`)),
    exit,
  );

  assert.equal(log, ['2 on main', '-4']);
});

signals('a wait for signals that nobody can send is the end', async () => {
  const guest = application();

  const { status, report } = await guest.run((cpu) => {
    guest.memory.writeU64(scratch, 0n);
    return cpu.call('minios_sigsuspend', Number(scratch));
  });

  assert.is(status, 3);
  assert.match(report ?? '', /main waits for a signal in minios_sigsuspend/);
});

signals('what a hostile program passes is an errno', async () => {
  const guest = application();
  const results: number[] = [];
  const calls: readonly (readonly [string, ...(number | bigint)[]])[] = [
    ['minios_sigaction', 0, 0, 0],
    ['minios_sigaction', 65, 0, 0],
    ['minios_sigaction', 33, 0, 0],
    ['minios_sigaction', SIG.KILL, Number(scratch), 0],
    ['minios_sigaction', 1, 8, 0],
    ['minios_sigprocmask', 9, Number(scratch), 0],
    ['minios_sigprocmask', 0, 8, 0],
    ['minios_sigpending', 8],
    ['minios_sigsuspend', 8],
    ['minios_sigtimedwait', 8, 0, 0n],
    ['minios_signal', 12345, 1, 0, 0],
    ['minios_signal', 0, 99, 0, 0],
    ['minios_sigaltstack', 8, 0],
    ['minios_setitimer', 3, 0n, 0n, 0],
    ['minios_setitimer', 0, 1n << 62n, 1n << 62n, 8],
    ['minios_timer_create', 77, 0, 1, 0, 0],
    ['minios_timer_create', 0, 9, 1, 0, 0],
    ['minios_timer_settime', 5, 0, 0n, 0n, 0],
    ['minios_timer_delete', -1],
  ];

  await guest.run(
    ...calls.flatMap(([name, ...values]): Step[] => [
      (cpu) => cpu.call(name, ...values),
      then((cpu) => results.push(cpu.result)),
    ]),
    exit,
  );

  const [EINVAL, EFAULT, ESRCH] = [-22, -14, -3];
  assert.equal(results, [
    ...[EINVAL, EINVAL, EINVAL, EINVAL, EFAULT],
    ...[EINVAL, EFAULT, EFAULT, EFAULT, EFAULT],
    ...[ESRCH, EINVAL, EFAULT],
    ...[EINVAL, EFAULT, EINVAL, EINVAL, EINVAL, EINVAL],
  ]);
});

signals.run();
