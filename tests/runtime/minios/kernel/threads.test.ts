/** Threads as the guest sees them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RAX, RBX, RDI, RSP } from '../../../../runtime/x86/registers.ts';
import { application, currentVariable, scratch } from '../../../support/application.ts';
import type { FakeCpu, Step } from '../../../support/fake-cpu.ts';

const threads = suite('runtime/minios/kernel/threads');

/** Where threads of these tests begin. */
const entry = (n: number): bigint => 0x100_0100n + BigInt(n) * 0x40n;
const exit: Step = (cpu) => cpu.call('minios_exit', 0);
const note =
  (log: string[], what: string): Step =>
  () => {
    log.push(what);
    return undefined;
  };

for (const width of [64, 32] as const) {
  threads(`x86-${width}: a thread gets its argument, and returning ends it`, async () => {
    const guest = application({ width });
    const name = Number(guest.text('worker'));
    const log: string[] = [];
    const argument = (cpu: FakeCpu): bigint =>
      width === 64 ? cpu.register(RDI) : BigInt(guest.memory.readU32(cpu.register(RSP) + 4n));
    guest.cpu.load(entry(0), [
      (cpu) => {
        log.push(
          `argument ${argument(cpu)}`,
          `aligned ${(cpu.register(RSP) + BigInt(width / 8)) % 16n}`,
        );
        return undefined;
      },
    ]);

    await guest.run(
      (cpu) => cpu.call('create_thread', name, Number(entry(0)), 42),
      note(log, 'created'),
      (cpu) => cpu.call('schedule'),
      note(log, 'back'),
      (cpu) => cpu.call('schedule'),
      exit,
    );

    assert.equal(log, ['created', 'argument 42', 'aligned 0', 'back']);
    assert.is(guest.kernel.threads.all.length, 1);
  });
}

threads('schedule goes round, and each thread keeps its registers', async () => {
  const guest = application();
  const log: string[] = [];
  const worker = (name: string, value: bigint): Step[] => [
    (cpu) => {
      cpu.setRegister(RBX, value);
      log.push(name);
      return cpu.call('schedule');
    },
    (cpu) => {
      log.push(`${name} ${cpu.register(RBX)}`);
      return cpu.call('schedule');
    },
  ];
  guest.cpu.load(entry(0), worker('a', 1n));
  guest.cpu.load(entry(1), worker('b', 2n));

  await guest.run(
    (cpu) => cpu.call('create_thread', 0, entry(0), 0),
    (cpu) => cpu.call('create_thread', 0, entry(1), 0),
    ...worker('main', 3n),
    exit,
  );

  assert.equal(log, ['main', 'a', 'b', 'main 3', 'a 1', 'b 2']);
});

threads('a blocked thread does not run until it is woken', async () => {
  const guest = application();
  const log: string[] = [];
  let worker = 0n;
  guest.cpu.load(entry(0), [
    (cpu) => {
      worker = guest.memory.readU64(currentVariable);
      return cpu.call('block', worker);
    },
    (cpu) => cpu.call('schedule'),
    note(log, 'woken'),
  ]);

  await guest.run(
    (cpu) => cpu.call('create_thread', 0, entry(0), 0),
    (cpu) => cpu.call('schedule'),
    (cpu) => cpu.call('schedule'),
    note(log, 'still blocked'),
    (cpu) => cpu.call('wake', worker),
    (cpu) => cpu.call('schedule'),
    exit,
  );

  assert.equal(log, ['still blocked', 'woken']);
});

threads('a thread may be given a size of stack, or the stack itself', async () => {
  const guest = application();
  const log: bigint[] = [];
  const noteStack = (cpu: FakeCpu) => {
    log.push(cpu.register(RSP));
    return undefined;
  };
  guest.cpu.load(entry(0), [noteStack]);
  const stack = scratch + 0x100n;
  const given: Step = (cpu) => cpu.call('minios_create_thread', 0n, entry(0), 0n, stack, 0x400n);

  await guest.run(
    (cpu) => cpu.call('minios_create_thread', 0n, entry(0), 0n, 0n, 0x3001n),
    given,
    (cpu) => cpu.call('schedule'),
    exit,
  );

  const [own = 0n, others = 0n] = log;
  const [made] = [guest.loaded.map.end - 0x5000n];
  assert.ok(own > made + 0x3000n && own < guest.loaded.map.end, own.toString(16));
  assert.is(others, stack + 0x400n - 24n);
});

threads('no memory for a stack is no thread', async () => {
  const guest = application();
  const results: bigint[] = [];

  await guest.run(
    (cpu) => cpu.call('minios_create_thread', 0n, entry(0), 0n, 0n, 1n << 40n),
    (cpu) => {
      results.push(cpu.register(RAX));
      return undefined;
    },
    exit,
  );

  assert.equal(results, [0n]);
});

threads('a read that another thread interrupts ends with EINTR', async () => {
  const guest = application();
  const log: number[] = [];
  const main = guest.loaded.mainThread.address;
  guest.cpu.load(entry(0), [
    (cpu) => cpu.call('minios_interrupt_thread', main),
    (cpu) => cpu.call('minios_interrupt_thread', 0x1234n),
    (cpu) => {
      log.push(cpu.result);
      return undefined;
    },
  ]);

  await guest.run(
    (cpu) => cpu.call('create_thread', 0, entry(0), 0),
    (cpu) => cpu.call('minios_read', 0, Number(scratch), 1),
    (cpu) => {
      log.push(cpu.result);
      return undefined;
    },
    exit,
  );

  assert.equal(log, [-3, -4]);
});

threads('sleepers wake in the order of their times', async () => {
  const guest = application();
  const log: string[] = [];
  const sleeper = (name: string, time: number): Step[] => [
    (cpu) => cpu.call('msleep', time),
    note(log, name),
  ];
  guest.cpu.load(entry(0), sleeper('slow', 30));
  guest.cpu.load(entry(1), sleeper('fast', 10));

  await guest.run(
    (cpu) => cpu.call('create_thread', 0, entry(0), 0),
    (cpu) => cpu.call('create_thread', 0, entry(1), 0),
    ...sleeper('middle', 20),
    (cpu) => cpu.call('msleep', 100),
    exit,
  );

  assert.equal(log, ['fast', 'middle', 'slow']);
});

threads('another thread runs while one waits for input', async () => {
  const guest = application();
  const log: string[] = [];
  guest.cpu.load(entry(0), [
    () => {
      log.push('other');
      guest.console.write('x');
      return undefined;
    },
  ]);

  await guest.run(
    (cpu) => cpu.call('create_thread', 0, entry(0), 0),
    (cpu) => cpu.call('minios_read', 0, Number(scratch), 1),
    note(log, 'input'),
    exit,
  );

  assert.equal(log, ['other', 'input']);
});

threads('two threads that wait in the same call get one byte each', async () => {
  const guest = application();
  const log: string[] = [];
  const reader = (name: string, at: bigint): Step[] => [
    (cpu) => cpu.call('minios_read', 0, Number(at), 1),
    (cpu) => {
      log.push(`${name} ${cpu.result} ${guest.memory.readBytes(at, 1)[0]}`);
      return undefined;
    },
  ];
  guest.cpu.load(entry(0), reader('a', scratch));
  setTimeout(() => guest.console.write('12'), 5);

  await guest.run(
    (cpu) => cpu.call('create_thread', 0, entry(0), 0),
    ...reader('main', scratch + 1n),
    (cpu) => cpu.call('msleep', 1),
    exit,
  );

  assert.equal(log.sort(), ['a 1 50', 'main 1 49']);
});

threads('an ended thread gives its memory back', async () => {
  const guest = application({ memory: 2 ** 20 });
  const made: bigint[] = [];
  let count = 0;
  guest.cpu.load(entry(0), [() => undefined]);

  await guest.run(
    (cpu) => cpu.call('create_thread', 0, entry(0), 0),
    (cpu) => {
      made.push(cpu.register(0));
      if (++count < 100) cpu.rip -= 2n;
      return cpu.call('schedule');
    },
    exit,
  );

  assert.is(new Set(made).size, 1);
  assert.not(made.includes(0n));
});

threads('a thread that memory does not hold is NULL', async () => {
  const guest = application({ memory: 512 * 1024 });
  const made: bigint[] = [];

  await guest.run(
    (cpu) => cpu.call('create_thread', 0, entry(0), 0),
    (cpu) => {
      made.push(cpu.register(0));
      if (cpu.register(0) !== 0n) cpu.rip -= 2n;
      return undefined;
    },
    exit,
  );

  assert.is(made.at(-1), 0n);
  assert.ok(made.length > 1);
});

threads('exit_thread of main leaves the others running', async () => {
  const guest = application();
  const log: string[] = [];
  guest.cpu.load(entry(0), [note(log, 'worker'), (cpu) => cpu.call('minios_exit', 9)]);

  const ending = await guest.run(
    (cpu) => cpu.call('create_thread', 0, entry(0), 0),
    (cpu) => cpu.call('exit_thread'),
  );

  assert.equal(log, ['worker']);
  assert.is(ending.status, 9);
});

threads('when all threads have ended the domain says so', async () => {
  const ending = await application().run((cpu) => cpu.call('exit_thread'));

  assert.is(ending.status, 3);
  assert.match(ending.report ?? '', /every thread has ended/);
});

threads('flags and wakeup_time that the guest writes itself count', async () => {
  const guest = application();
  const log: string[] = [];

  await guest.run(
    () => {
      const thread = guest.memory.readU64(currentVariable);
      guest.memory.writeU32(thread + 48n, 0);
      guest.memory.writeU64(thread + 56n, 5_000_000n);
      return undefined;
    },
    (cpu) => cpu.call('schedule'),
    () => {
      log.push(String(guest.kernel.clocks.monotonic() >= 5_000_000n));
      return undefined;
    },
    exit,
  );

  assert.equal(log, ['true']);
});

threads.run();
