/** Timers that send signals, with time that passes when a test says so. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bits, SIG, SIGRTMIN } from '../../../../runtime/minios/abi/signal.ts';
import { type Application, application, scratch } from '../../../support/application.ts';
import type { FakeCpu, Step } from '../../../support/fake-cpu.ts';

const timers = suite('runtime/minios/kernel/timers');

const millisecond = 1_000_000n;
const realtime = 0;
const monotonic = 1;
const exit: Step = (cpu) => cpu.call('minios_exit', 0);
const then =
  (body: (cpu: FakeCpu) => void): Step =>
  (cpu) => {
    body(cpu);
    return undefined;
  };

/** Blocks all, so that they can be waited for. */
const block =
  (guest: Application): Step =>
  (cpu) => {
    guest.memory.writeU64(scratch, bits(SIG.ALRM, SIGRTMIN));
    return cpu.call('minios_sigprocmask', 0, Number(scratch), 0);
  };

/** Waits for one of them, and notes number, overruns and value. */
const wait = (guest: Application, log: string[]): Step[] => [
  (cpu) => cpu.call('minios_sigtimedwait', Number(scratch), Number(scratch + 64n), -1n),
  then((cpu) => {
    const field = (offset: bigint): number => guest.memory.readU32(scratch + 64n + offset);
    const more = cpu.result === SIGRTMIN ? ` ${field(20n)} ${field(24n)}` : '';
    log.push(`${cpu.result}${more} at ${guest.clock.now - 1_000_000_000n}`);
  }),
];

const set =
  (value: bigint, interval: bigint): Step =>
  (cpu) =>
    cpu.call('minios_setitimer', 0, value, interval, 0);

timers('an alarm comes at its time, and again at its interval', async () => {
  const guest = application();
  const log: string[] = [];

  await guest.run(
    block(guest),
    set(5n * millisecond, 2n * millisecond),
    ...wait(guest, log),
    ...wait(guest, log),
    set(0n, 0n),
    exit,
  );

  assert.equal(log, ['14 at 5000000', '14 at 7000000']);
});

timers('what expires while nobody takes it is counted, and told with the signal', async () => {
  const guest = application();
  const log: string[] = [];

  await guest.run(
    block(guest),
    (cpu) => cpu.call('minios_timer_create', monotonic, 0, SIGRTMIN, 77, 0),
    (cpu) => cpu.call('minios_timer_settime', 0, 0, millisecond, millisecond, 0),
    (cpu) => {
      guest.clock.now += 5n * millisecond;
      return cpu.call('schedule');
    },
    then(() => {
      guest.clock.now += 3n * millisecond;
    }),
    ...wait(guest, log),
    (cpu) => cpu.call('minios_timer_getoverrun', 0),
    then((cpu) => log.push(`${cpu.result}`)),
    exit,
  );

  assert.equal(log, ['34 7 77 at 8000000', '7']);
});

timers('an absolute time is the clock’s own', async () => {
  const guest = application();
  const log: string[] = [];
  const until = guest.clock.realtime() + 9n * millisecond;

  await guest.run(
    block(guest),
    (cpu) => cpu.call('minios_timer_create', realtime, 0, SIGRTMIN, 0, 1),
    (cpu) => cpu.call('minios_timer_settime', 0, 4, until, 0n, 0),
    ...wait(guest, log),
    (cpu) => cpu.call('minios_timer_gettime', 0, Number(scratch + 8n)),
    then(() => log.push(`left ${guest.memory.readU64(scratch + 8n)}`)),
    exit,
  );

  assert.equal(log, ['34 0 0 at 9000000', 'left 0']);
});

timers(
  'setting the clock moves what has a time of it, and not what is so long from now',
  async () => {
    const guest = application();
    const log: string[] = [];
    const now = guest.clock.realtime();
    const make: Step = (cpu) => cpu.call('minios_timer_create', realtime, 0, SIGRTMIN, 0, 1);

    await guest.run(
      block(guest),
      make,
      make,
      (cpu) => cpu.call('minios_timer_settime', 0, 4, now + 1009n * millisecond, 0n, 0),
      (cpu) => cpu.call('minios_timer_settime', 1, 0, 5n * millisecond, 0n, 0),
      (cpu) => cpu.call('minios_set_realtime', now + 1000n * millisecond),
      ...wait(guest, log),
      ...wait(guest, log),
      exit,
    );

    assert.equal(log, ['34 0 1 at 5000000', '34 0 0 at 9000000']);
  },
);

timers('an interval of a nanosecond, ignored or not, keeps nobody busy', async () => {
  const guest = application();

  const ending = await guest.run(block(guest), set(1n, 1n), (cpu) => cpu.call('msleep', 50), exit);

  assert.is(ending.status, 0);
  assert.ok(guest.clock.turns < 1000);
});

timers('there are many timers, but not without end', async () => {
  const guest = application();
  let last = 0;
  const make: Step = (cpu) => cpu.call('minios_timer_create', monotonic, 1, 0, 0, 0);
  const note = then((cpu) => {
    last = cpu.result;
  });

  await guest.run(...Array.from({ length: 1025 }, () => [make, note]).flat(), exit);

  assert.is(last, -11);
});

timers.run();
