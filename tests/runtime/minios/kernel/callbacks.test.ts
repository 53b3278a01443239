/** Functions of the guest that the kernel calls: what they are given, what they interrupt, and how they leave. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Callback, Entry } from '../../../../runtime/minios/kernel/callback.ts';
import { RBX, RDI, RSI, RSP } from '../../../../runtime/x86/registers.ts';
import {
  type Application,
  application,
  currentVariable,
  scratch,
} from '../../../support/application.ts';
import type { FakeCpu, Step } from '../../../support/fake-cpu.ts';

const callbacks = suite('runtime/minios/kernel/callbacks');

const entry = (n: number): bigint => 0x100_0100n + BigInt(n) * 0x40n;
const exit: Step = (cpu) => cpu.call('minios_exit', 0);
const schedule: Step = (cpu) => cpu.call('schedule');
const then =
  (body: (cpu: FakeCpu) => void): Step =>
  (cpu) => {
    body(cpu);
    return undefined;
  };
const note = (log: string[], what: string): Step => then(() => log.push(what));

type Changes = Partial<Entry & Callback> & { interrupts?: boolean };
function callback(n: number, { interrupts, ...changes }: Changes = {}): Callback {
  const { isMaskable = true, returned, ...more } = changes;
  return {
    ...{ what: `callback ${n}`, isMaskable },
    enter(top, endCall) {
      if (interrupts) endCall(false);
      return { function: entry(n), arguments: [], top, ...more };
    },
    ...(returned && { returned }),
  };
}

const raise = (guest: Application, what: Callback): Step =>
  then(() => guest.kernel.callbacks.raise(what));

/** A safe point. */
const call: Step = (cpu) => cpu.call('monotonic_clock');

const blockItself =
  (guest: Application): Step =>
  (cpu) =>
    cpu.call('block', guest.memory.readWord(currentVariable, cpu.mode));

for (const width of [64, 32] as const) {
  callbacks(`x86-${width}: a function gets its arguments on an aligned stack`, async () => {
    const guest = application({ width });
    const log: string[] = [];
    const argument = (cpu: FakeCpu, n: number): bigint =>
      width === 64
        ? cpu.register(n === 0 ? RDI : RSI)
        : BigInt(guest.memory.readU32(cpu.register(RSP) + 4n + BigInt(4 * n)));
    guest.cpu.load(entry(0), [
      then((cpu) => {
        log.push(
          `${argument(cpu, 0)} ${argument(cpu, 1)}`,
          `aligned ${(cpu.register(RSP) + BigInt(width / 8)) % 16n}`,
        );
      }),
    ]);

    await guest.run(
      raise(guest, callback(0, { arguments: [7n, 8n] })),
      call,
      note(log, 'back'),
      exit,
    );

    assert.equal(log, ['7 8', 'aligned 0', 'back']);
  });

  callbacks(`x86-${width}: what it interrupts finds registers and stack as they were`, async () => {
    const guest = application({ width });
    const word = BigInt(width / 8);
    let sp = 0n;
    let after: bigint[] = [];
    guest.cpu.load(entry(0), [
      (cpu) => {
        cpu.setRegister(RBX, 99n);
        return call(cpu);
      },
    ]);

    await guest.run(
      then((cpu) => {
        sp = cpu.register(RSP);
        cpu.setRegister(RBX, 5n);
        guest.memory.writeWord(sp - word, 6n, width);
        guest.memory.writeWord(sp - (width === 64 ? 128n : word), 7n, width);
        guest.kernel.callbacks.raise(callback(0));
        cpu.polls = 0;
      }),
      then((cpu) => {
        const red = guest.memory.readWord(sp - (width === 64 ? 128n : word), width);
        after = [cpu.register(RSP) - sp, cpu.register(RBX), red];
      }),
      exit,
    );

    assert.equal(after.slice(0, 2), [0n, 5n]);
    if (width === 64) assert.is(after[2], 7n);
  });
}

callbacks('a thread that waits runs a callback, which lets others run, and waits on', async () => {
  const guest = application();
  const log: string[] = [];
  let main = 0n;
  guest.cpu.load(entry(0), [note(log, 'handler'), schedule, note(log, 'handler goes on')]);
  guest.cpu.load(entry(1), [
    note(log, 'worker'),
    schedule,
    note(log, 'worker goes on'),
    (cpu) => cpu.call('wake', main),
    schedule,
  ]);

  await guest.run(
    then(() => {
      main = guest.memory.readU64(currentVariable);
    }),
    (cpu) => cpu.call('create_thread', 0, entry(1), 0),
    blockItself(guest),
    raise(guest, callback(0)),
    schedule,
    note(log, 'woken'),
    exit,
  );

  assert.equal(log, ['handler', 'worker', 'handler goes on', 'worker goes on', 'woken']);
});

callbacks('a wake by the callback itself is not lost', async () => {
  const guest = application();
  const log: string[] = [];
  guest.cpu.load(entry(0), [
    (cpu) => cpu.call('wake', guest.memory.readU64(currentVariable)),
    note(log, 'handler'),
  ]);

  await guest.run(
    raise(guest, callback(0)),
    blockItself(guest),
    schedule,
    note(log, 'woken'),
    exit,
  );

  assert.equal(log, ['handler', 'woken']);
});

callbacks('without a wake the thread sleeps on, until its time', async () => {
  const guest = application();
  const times: bigint[] = [];
  guest.cpu.load(entry(0), [(cpu) => cpu.call('msleep', 10)]);
  const began = guest.clock.monotonic();

  await guest.run(
    raise(guest, callback(0)),
    (cpu) => cpu.call('msleep', 250),
    then(() => {
      times.push(guest.clock.monotonic() - began);
    }),
    exit,
  );

  assert.equal(times, [250_000_000n]);
});

for (const interrupts of [false, true])
  callbacks(
    interrupts
      ? 'a call that is interrupted ends with EINTR'
      : 'a call that waits goes on waiting behind a callback',
    async () => {
      const guest = application();
      const log: string[] = [];
      guest.cpu.load(entry(0), [
        note(log, 'handler'),
        then(() => {
          if (!interrupts) guest.console.write('typed');
        }),
      ]);
      setTimeout(() => {
        guest.kernel.callbacks.raise(callback(0, { interrupts }));
        guest.changed.raise();
      }, 5);

      const ending = await guest.run(
        (cpu) => cpu.call('minios_read', 0, Number(scratch), 100),
        (cpu) => {
          log.push(`${cpu.result}`);
          return exit(cpu);
        },
      );

      assert.is(ending.status, 0);
      assert.equal(log, ['handler', interrupts ? '-4' : '5']);
    },
  );

callbacks('one that is to interrupt another thread runs there', async () => {
  const guest = application();
  const log: string[] = [];
  let handled = 0n;
  let worker = 0n;
  guest.cpu.load(entry(0), [
    then(() => {
      handled = guest.memory.readU64(currentVariable);
    }),
  ]);
  guest.cpu.load(entry(1), [blockItself(guest), schedule, note(log, 'never')]);

  await guest.run(
    (cpu) => cpu.call('create_thread', 0, entry(1), 0),
    schedule,
    then(() => {
      const thread = guest.kernel.threads.all.find(({ isMain }) => !isMain);
      worker = thread?.address ?? 0n;
      if (thread !== undefined)
        guest.kernel.callbacks.interrupt(thread, callback(0, { isMaskable: false }));
    }),
    schedule,
    exit,
  );

  assert.is(handled, worker);
  assert.equal(log, []);
});

callbacks('maskable ones come one after the other, others nest', async () => {
  const log: string[] = [];
  for (const isMaskable of [true, false]) {
    const guest = application();
    guest.cpu.load(entry(0), [
      note(log, 'first'),
      then(() => {
        const { current } = guest.kernel.threads;
        const second = callback(1, { isMaskable });
        if (isMaskable || current === undefined) guest.kernel.callbacks.raise(second);
        else guest.kernel.callbacks.interrupt(current, second);
      }),
      call,
      note(log, 'first ends'),
    ]);
    guest.cpu.load(entry(1), [note(log, 'second')]);

    await guest.run(raise(guest, callback(0)), call, exit);
  }

  assert.equal(log, ['first', 'first ends', 'second', 'first', 'second', 'first ends']);
});

callbacks('while the guest masks them, they wait', async () => {
  const guest = application();
  const log: string[] = [];
  const mask = guest.loaded.data['minios_callbacks_masked'] ?? 0n;
  const setMask =
    (value: number): Step =>
    () => {
      guest.memory.writeU32(mask, value);
      return undefined;
    };
  guest.cpu.load(entry(0), [note(log, 'handler')]);

  await guest.run(
    setMask(1),
    raise(guest, callback(0)),
    call,
    note(log, 'masked'),
    setMask(0),
    call,
    note(log, 'open'),
    exit,
  );

  assert.equal(log, ['masked', 'handler', 'open']);
});

callbacks(
  'one that leaves by longjmp is forgotten, and the next finds the stack free',
  async () => {
    const guest = application();
    const log: string[] = [];
    let sp = 0n;
    let rip = 0n;
    guest.cpu.load(entry(0), [
      then((cpu) => {
        log.push('handler');
        cpu.setRegister(RSP, sp);
        cpu.rip = rip;
      }),
    ]);
    let rounds = 0;

    await guest.run(
      then((cpu) => {
        sp = cpu.register(RSP);
        rip = cpu.rip;
      }),
      (cpu) => {
        log.push(`frames ${guest.kernel.threads.current?.frames.length}`);
        if (rounds++ === 3) return exit(cpu);
        guest.kernel.callbacks.raise(callback(0, { isMaskable: false }));
        return cpu.call('msleep', 1);
      },
    );

    assert.equal(log, ['frames 0', ...Array(3).fill(['handler', 'frames 1']).flat()]);
  },
);

callbacks('what it interrupted may be changed when it returns', async () => {
  const guest = application();
  let after = 0n;
  guest.cpu.load(entry(0), [note([], '')]);
  const changes = { returned: (): boolean => guest.cpu.setRegister(RBX, 77n) === null };

  await guest.run(
    raise(guest, callback(0, changes)),
    call,
    then((cpu) => {
      after = cpu.register(RBX);
    }),
    exit,
  );

  assert.is(after, 77n);
});

callbacks('another stack is used where one is named', async () => {
  const guest = application();
  const stack = { low: scratch + 0x100n, high: scratch + 0x500n };
  let sp = 0n;
  guest.cpu.load(entry(0), [
    then((cpu) => {
      sp = cpu.register(RSP);
    }),
  ]);

  await guest.run(raise(guest, callback(0, { top: stack.high, stack })), call, exit);

  assert.is(sp, stack.high - 8n);
});

callbacks('a stack without room ends the guest, and a return from nowhere does', async () => {
  const noRoom = application();
  const nowhere = application();

  const endings = [
    await noRoom.run(raise(noRoom, callback(0, { top: 0x100n })), call, exit),
    await nowhere.run((cpu) => cpu.call('minios_callback_return'), exit),
  ];

  assert.equal(
    endings.map(({ status }) => status),
    [139, 139],
  );
  assert.match(endings[0]?.report ?? '', /no stack for a callback/);
  assert.match(endings[1]?.report ?? '', /no callback returns at/);
});

callbacks('what is due is asked of the sources, and wakes a guest that waits', async () => {
  const guest = application();
  const log: string[] = [];
  let due: bigint | undefined;
  guest.cpu.load(entry(0), [
    note(log, 'handler'),
    (cpu) => cpu.call('wake', guest.memory.readU64(currentVariable)),
  ]);
  guest.kernel.callbacks.sources.push({
    deadline: () => due,
    isHopeful: () => false,
    look: (now) => {
      if (due === undefined || now < due) return;
      due = undefined;
      guest.kernel.callbacks.raise(callback(0));
    },
  });

  await guest.run(
    then(() => {
      due = guest.kernel.clocks.monotonic() + 1_000_000n;
    }),
    blockItself(guest),
    schedule,
    note(log, 'woken'),
    exit,
  );

  assert.equal(log, ['handler', 'woken']);
});

callbacks.run();
