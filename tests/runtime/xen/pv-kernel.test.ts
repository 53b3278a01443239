import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SCHEDOP } from '../../../runtime/abi/sched.ts';
import type { Answer, Leave } from '../../../runtime/cpu/leave.ts';
import { Domain } from '../../../runtime/domain/domain.ts';
import type { GuestCpu } from '../../../runtime/domain/guest-cpu.ts';
import { Signal } from '../../../runtime/domain/signal.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { XenMachine } from '../../support/xen-machine.ts';

const test = suite('runtime/xen/pv-kernel');

const yielding = [BigInt(SCHEDOP.yield), 0n];
const yieldSlice = (machine: XenMachine): bigint => machine.call('sched_op', yielding);

test('who yields behind an event runs on when the back-end has answered, and gives way where there is none', () => {
  const machine = new XenMachine(64);
  const { channels, eventPorts } = machine.attacker.parts;
  const port = channels.allocateUnbound(0);
  const heard: string[] = [];
  const end = eventPorts.bind(port);
  end.listen(() => {
    heard.push('event');
    end.notify();
  });

  channels.send(port);
  const inSend = [...heard];
  yieldSlice(machine);
  const first = machine.next();
  yieldSlice(machine);
  const second = machine.next();

  assert.equal(inSend, []);
  assert.equal(heard, ['event']);
  assert.equal(first, { do: 'run' });
  assert.equal(second, { do: 'yield' });
});

test('a back-end that stops a guest which yields is obeyed', () => {
  const machine = new XenMachine(32);
  const { channels, eventPorts } = machine.attacker.parts;
  const port = channels.allocateUnbound(0);
  const end = eventPorts.bind(port);
  end.listen(() => {
    end.notify();
    machine.attacker.kernel.crash('a back-end says so');
  });

  channels.send(port);
  yieldSlice(machine);

  assert.is(machine.next().do, 'end');
});

test('a back-end that has not answered yet gets its turn', () => {
  const machine = new XenMachine(64);
  const { channels, eventPorts } = machine.attacker.parts;
  const port = channels.allocateUnbound(0);
  const end = eventPorts.bind(port);
  end.listen(() => queueMicrotask(() => end.notify()));

  channels.send(port);
  yieldSlice(machine);

  assert.equal(machine.next(), { do: 'yield' });
});

test('a guest that is answered whenever it yields leaves the event loop its turns, and can be stopped', async () => {
  const machine = new XenMachine(64);
  const { parts, kernel } = machine.attacker;
  const port = parts.channels.allocateUnbound(0);
  const end = parts.eventPorts.bind(port);
  end.listen(() => end.notify());
  const clock = new FakeClock();
  const turns: bigint[] = [];
  clock.turn = async () => {
    turns.push(clock.now);
    if (turns.length === 10) domain.stop();
  };
  const run = (answer?: Answer): Leave => {
    do {
      parts.channels.send(port);
      clock.now += 100_000n;
    } while (answer?.(machine.ask('sched_op', yielding)) === true);
    return { reason: 'answered' };
  };
  const cpu = { run, setPolls: () => {} } satisfies Partial<GuestCpu> as unknown as GuestCpu;
  const domain = new Domain({ name: 'x', cpu, kernel, clock, changed: new Signal() });
  const began = clock.now;

  const { reason } = await domain.run();

  assert.is(reason, 'stopped');
  const slices = turns.map((now, i) => now - (turns[i - 1] ?? began));
  assert.ok((slices[0] ?? 0n) > 2_000_000n, 'it is not the yields that give turns');
  assert.ok((slices[0] ?? 0n) < 1_100_000_000n, 'not even at a start');
  assert.ok(
    slices.slice(1).every((slice) => slice <= 2_100_000n),
    `${slices}`,
  );
});

test.run();
