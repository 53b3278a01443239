/** The kernel with a program of steps: calls, waits, ends. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SIG, SIG_IGN } from '../../../../runtime/minios/abi/signal.ts';
import { application, currentVariable, scratch } from '../../../support/application.ts';
import type { Step } from '../../../support/fake-cpu.ts';

const kernel = suite('runtime/minios/kernel/mini-os');

for (const width of [64, 32] as const) {
  kernel(`x86-${width}: what a guest writes is on its console, and exit ends it`, async () => {
    const guest = application({ width });
    const hello = guest.text('hello');

    const ending = await guest.run(
      (cpu) => cpu.call('minios_write', 1, Number(hello), 5),
      (cpu) => {
        assert.is(cpu.result, 5);
        return cpu.call('minios_exit', 0x107);
      },
    );

    assert.equal(ending, { status: 7, reason: 'exit' });
    assert.is(guest.console.text, 'hello');
  });

  kernel(`x86-${width}: a 64-bit argument and a 64-bit result arrive whole`, async () => {
    const guest = application({ width });
    const path = guest.text('/big');
    const result = Number(scratch) + 64;
    const offset = 0x2_0000_0001n;

    await guest.run(
      (cpu) => cpu.call('minios_openat', -2, Number(path), 0x202, 0),
      (cpu) => cpu.call('minios_lseek', cpu.result, offset, 0, result),
      (cpu) => cpu.call('minios_exit', cpu.result),
    );

    assert.is(guest.memory.readU64(BigInt(result)), offset);
  });

  kernel(
    `x86-${width}: minios_current is the running thread from the first instruction`,
    async () => {
      const guest = application({ width });
      let current = 0n;

      await guest.run(
        () => {
          current = guest.memory.readWord(currentVariable, width);
          return undefined;
        },
        (cpu) => cpu.call('minios_exit', 0),
      );

      const name = guest.memory.readWord(current, width);
      assert.is(guest.memory.readString(name, 16), 'main');
    },
  );
}

kernel('a bad pointer is EFAULT, and nothing is written', async () => {
  const guest = application();

  const ending = await guest.run(
    (cpu) => cpu.call('minios_write', 1, 0x10, 5),
    (cpu) => cpu.call('minios_exit', -cpu.result),
  );

  assert.is(ending.status, 14);
  assert.is(guest.console.text, '');
});

kernel('a read of an empty console waits until something is typed', async () => {
  const guest = application();
  let isBlocked = true;
  setTimeout(() => {
    isBlocked = false;
    guest.console.write('typed');
  }, 5);

  const ending = await guest.run(
    (cpu) => cpu.call('minios_read', 0, Number(scratch), 100),
    (cpu) => {
      assert.not(isBlocked);
      return cpu.call('minios_exit', cpu.result);
    },
  );

  assert.is(ending.status, 5);
  assert.is(new TextDecoder().decode(guest.memory.readBytes(scratch, 5)), 'typed');
  assert.is(guest.clock.turns, 0, 'the guest did not run meanwhile');
});

kernel('the end of input is a read of nothing', async () => {
  const guest = application();
  guest.console.end();

  const ending = await guest.run(
    (cpu) => cpu.call('minios_read', 0, Number(scratch), 100),
    (cpu) => cpu.call('minios_exit', 40 + cpu.result),
  );

  assert.is(ending.status, 40);
});

kernel('a closed console is SIGPIPE, and EPIPE to who ignores that', async () => {
  const write: Step = (cpu) => cpu.call('minios_write', 1, Number(scratch), 1);
  const guest = application();
  const other = application();
  other.memory.writeU64(scratch, SIG_IGN);
  let result = 0;
  for (const { console } of [guest, other]) console.close();

  const ending = await guest.run(write, (cpu) => cpu.call('minios_exit', 99));
  await other.run(
    (cpu) => cpu.call('minios_sigaction', SIG.PIPE, Number(scratch), 0),
    write,
    (cpu) => {
      result = cpu.result;
      return cpu.call('minios_exit', 0);
    },
  );

  assert.equal(ending, { status: 141, reason: 'stopped' });
  assert.is(result, -32);
});

kernel('abort is a report and 134', async () => {
  const ending = await application().run((cpu) => cpu.call('minios_abort'));

  assert.is(ending.status, 134);
  assert.is(ending.reason, 'fault');
  assert.match(ending.report ?? '', /^fake\.elf: abort\(\)\n/);
});

kernel('a page fault is a report and 139', async () => {
  const ending = await application().run(() => ({
    ...{ reason: 'exception', vector: 14, errorCode: 2, address: 8n, detail: undefined },
  }));

  assert.is(ending.status, 139);
  assert.match(ending.report ?? '', /#PF: writing to 0x8: a NULL pointer/);
});

kernel('a fault is no end where somebody takes it', async () => {
  const guest = application();
  const addresses: (bigint | undefined)[] = [];
  guest.kernel.callbacks.onFault = (leave) => {
    if (leave.reason === 'exception') addresses.push(leave.address);
    return true;
  };

  const ending = await guest.run(
    () => ({ reason: 'exception', vector: 14, errorCode: 2, address: 8n, detail: undefined }),
    (cpu) => cpu.call('minios_exit', 6),
  );

  assert.is(ending.status, 6);
  assert.equal(addresses, [8n]);
});

kernel('a guest that nothing can ever wake is told of, thread by thread', async () => {
  const guest = application();

  const ending = await guest.run(
    (cpu) => cpu.call('block', guest.memory.readU64(currentVariable)),
    (cpu) => cpu.call('schedule'),
  );

  assert.is(ending.status, 3);
  assert.match(ending.report ?? '', /every thread waits .*\n {2}main is blocked/);
});

kernel('a call of the API with a bad pointer that has no errno stops the guest', async () => {
  const ending = await application().run((cpu) => cpu.call('wake', 0));

  assert.is(ending.status, 139);
  assert.match(ending.report ?? '', /Mini-OS: wake: a bad pointer/);
});

kernel('a guest that never ends is stopped by its budget, and gives the host turns', async () => {
  const guest = application({ budget: 20_000 });

  const ending = await guest.run((cpu) => {
    cpu.rip -= 1n;
    return undefined;
  });

  assert.is(ending.reason, 'stopped');
  assert.ok(guest.clock.turns > 1);
});

kernel('stop ends a waiting guest with 130', async () => {
  const guest = application();
  setTimeout(() => guest.domain.stop(), 5);

  const ending = await guest.run((cpu) => cpu.call('minios_read', 0, Number(scratch), 1));

  assert.equal(ending, { status: 130, reason: 'stopped' });
});

kernel('the clocks: monotonic passes while a guest sleeps, its running time does not', async () => {
  const guest = application();
  const at = Number(scratch);

  await guest.run(
    (cpu) => cpu.call('minios_clock_ns', 1, at),
    (cpu) => cpu.call('msleep', 250),
    (cpu) => cpu.call('minios_clock_ns', 1, at + 8),
    (cpu) => cpu.call('minios_clock_ns', 2, at + 16),
    (cpu) => cpu.call('minios_clock_ns', 3, at),
    (cpu) => cpu.call('minios_exit', -cpu.result),
  );

  const [before, after, running] = [0n, 8n, 16n].map((i) => guest.memory.readU64(scratch + i));
  assert.is((after ?? 0n) - (before ?? 0n), 250_000_000n);
  assert.is(running, 0n);
});

kernel.run();
