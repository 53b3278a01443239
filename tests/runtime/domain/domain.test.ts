/** The loop of a domain, with a kernel of a few lines. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Answer, Leave } from '../../../runtime/cpu/leave.ts';
import { Domain, type GuestKernel, type Next } from '../../../runtime/domain/domain.ts';
import type { GuestCpu } from '../../../runtime/domain/guest-cpu.ts';
import { Signal } from '../../../runtime/domain/signal.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const loop = suite('runtime/domain/domain');

const end: Next = { do: 'end', ending: { status: 0, reason: 'exit' } };

/** A vCPU that asks for its leaves to be answered, and leaves with the first that is not. */
const answering =
  (leaves: Leave[], log: string[]) =>
  (answer?: Answer): Leave => {
    for (const leave of leaves.splice(0)) {
      const goesOn = answer?.(leave) === true;
      log.push(`${leave.reason} ${goesOn}`);
      if (!goesOn) return { reason: 'answered' };
    }
    return { reason: 'poll' };
  };

function domain(script: {
  next: () => Next;
  leave?: (answer?: Answer) => Leave;
  handle?: (leave: Leave) => void;
}) {
  const clock = new FakeClock();
  const changed = new Signal();
  const log: string[] = [];
  const cpu = {
    run: (answer?: Answer) => script.leave?.(answer) ?? { reason: 'poll' },
    translateNow: () => {
      clock.now += 10_000_000n;
      return true;
    },
    translate: async () => {
      log.push('translate');
    },
    setPolls: () => {},
  } satisfies Partial<GuestCpu> as unknown as GuestCpu;
  const kernel: GuestKernel = { next: script.next, handle: (leave) => script.handle?.(leave) };
  return { domain: new Domain({ name: 'x', cpu, kernel, clock, changed }), clock, changed, log };
}

loop('a poll gives the event loop its turn; a quick host call does not', async () => {
  const leaves: Leave[] = [
    { reason: 'hostCall', address: 0n },
    { reason: 'poll' },
    { reason: 'hostCall', address: 0n },
  ];
  const seen: string[] = [];
  const { domain: guest, clock } = domain({
    next: () => (leaves.length > 0 ? { do: 'run' } : end),
    leave: () => leaves.shift() ?? { reason: 'halt' },
    handle: ({ reason }) => {
      seen.push(reason);
    },
  });

  await guest.run();

  assert.equal(seen, ['hostCall', 'poll', 'hostCall']);
  assert.is(clock.turns, 1);
});

loop('an early poll gives the event loop its turn only when the slice is over', async () => {
  let polls = 0;
  const { domain: guest, clock } = domain({
    next: () => (polls < 8 ? { do: 'run' } : end),
    leave: () => {
      polls++;
      clock.now += 500_000n;
      return { reason: 'poll', early: true };
    },
  });

  await guest.run();

  assert.is(clock.turns, 2, '8 times 0.5 ms are two slices of 2 ms');
});

loop('a guest that makes us translate for ever gives the event loop its turns', async () => {
  let translations = 0;
  const { domain: guest, clock } = domain({
    next: () => (translations < 8 ? { do: 'run' } : end),
    leave: () => {
      translations++;
      clock.now += 500_000n;
      return { reason: 'translate' };
    },
  });

  await guest.run();

  assert.is(clock.turns, 2, '8 times 0.5 ms are two slices of 2 ms');
});

loop(
  'spent polls are given again until the slice is over, and nobody else hears of them',
  async () => {
    const asked: string[] = [];
    let handled = 0;
    const { domain: guest, clock } = domain({
      next: () => (handled === 0 ? { do: 'run' } : end),
      leave: (answer) => {
        for (let i = 0; i < 5; i++) {
          clock.now += 600_000n;
          const goesOn = answer?.({ reason: 'poll' }) === true;
          asked.push(`${goesOn}`);
          if (!goesOn) break;
        }
        return { reason: 'poll' };
      },
      handle: () => {
        handled++;
      },
    });

    await guest.run();

    assert.equal(asked, ['true', 'true', 'true', 'false']);
    assert.equal([handled, clock.turns], [1, 1]);
  },
);

loop('host calls are answered at once, and handled once, until the slice is over', async () => {
  const asked: string[] = [];
  let handled = 0;
  const leaves = Array.from({ length: 5 }, (): Leave => ({ reason: 'hostCall', address: 0n }));
  const { domain: guest, clock } = domain({
    next: () => (handled < 4 ? { do: 'run' } : end),
    leave: answering(leaves, asked),
    handle: ({ reason }) => {
      if (reason !== 'hostCall') return;
      handled++;
      clock.now += 600_000n;
    },
  });

  await guest.run();

  assert.equal(asked.slice(0, 4), [
    'hostCall true',
    'hostCall true',
    'hostCall true',
    'hostCall false',
  ]);
  assert.is(handled, 4);
});

loop(
  'a kernel that yields when it has answered says so once, and the others get their turn',
  async () => {
    const asked: string[] = [];
    let [handled, hasYielded] = [0, false];
    const { domain: guest, clock } = domain({
      next: () => {
        if (handled === 0) return { do: 'run' };
        if (hasYielded) return end;
        hasYielded = true;
        return { do: 'yield' };
      },
      leave: answering([{ reason: 'hypercall', operand: 0 }], asked),
      handle: ({ reason }) => {
        if (reason === 'hypercall') handled++;
      },
    });

    await guest.run();

    assert.equal([asked, handled, clock.turns], [['hypercall false'], 1, 1]);
  },
);

loop('translating while frames stand makes the slice longer', async () => {
  const asked: string[] = [];
  const leaves: Leave[] = [{ reason: 'translate' }, { reason: 'hostCall', address: 0n }];
  let handled = 0;
  const { domain: guest } = domain({
    next: () => (handled === 0 || leaves.length > 0 ? { do: 'run' } : end),
    leave: answering(leaves, asked),
    handle: () => {
      handled++;
    },
  });

  await guest.run();

  assert.equal(asked[0], 'translate true');
});

loop('host calls alone also make a slice end', async () => {
  let calls = 0;
  const { domain: guest, clock } = domain({
    next: () => (calls < 100 ? { do: 'run' } : end),
    leave: () => {
      calls++;
      clock.now += 100_000n;
      return { reason: 'hostCall', address: 0n };
    },
  });

  await guest.run();

  assert.is(clock.turns, 5);
});

loop(
  'code that is not translated yet is translated, and the kernel hears nothing of it',
  async () => {
    const leaves: Leave[] = [{ reason: 'translate' }];
    const seen: string[] = [];
    const { domain: guest, log } = domain({
      next: () => (leaves.length > 0 ? { do: 'run' } : end),
      leave: () => leaves.shift() ?? { reason: 'halt' },
      handle: ({ reason }) => {
        seen.push(reason);
      },
    });

    await guest.run();

    assert.equal([log, seen], [['translate'], []]);
  },
);

loop('a wait ends at its time or when something changes', async () => {
  const waits: Next[] = [
    { do: 'wait', until: 2_000_000_000n },
    { do: 'wait', until: undefined },
  ];
  const { domain: guest, clock, changed } = domain({ next: () => waits.shift() ?? end });
  setTimeout(() => changed.raise(), 3);

  await guest.run();

  assert.is(clock.now, 2_000_000_000n);
});

loop('a change just before the wait is not lost', async () => {
  const waits: Next[] = [{ do: 'wait', until: undefined }];
  const { domain: guest, changed } = domain({
    next: () => {
      changed.raise();
      return waits.shift() ?? end;
    },
  });

  assert.equal(await guest.run(), { status: 0, reason: 'exit' });
});

loop('stop ends a busy domain at its next turn', async () => {
  const { domain: guest } = domain({ next: () => ({ do: 'run' }) });
  queueMicrotask(() => guest.stop());

  assert.equal(await guest.run(), { status: 130, reason: 'stopped' });
});

loop.run();
