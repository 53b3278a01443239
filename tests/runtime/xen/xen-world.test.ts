import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GTF } from '../../../runtime/abi/grant-table.ts';
import { VIRQ } from '../../../runtime/abi/xen.ts';
import type { GrantMapper } from '../../../runtime/xen/grants/grant-mappings.ts';
import { XenWorld } from '../../../runtime/xen/xen-world.ts';
import { answer } from '../../support/xen-answers.ts';
import { testDomain, testFrames } from '../../support/xen-domain.ts';

const test = suite('runtime/xen/xen-world');

const mapper: GrantMapper = { map: () => {}, unmap: () => {} };

function world() {
  const frames = testFrames();
  const first = testDomain(64, 1, frames);
  const xen = new XenWorld(frames, first.clock);
  const hooks = { mapper, setIopl: () => {}, sendNmi: () => {} };
  const join = (parts: typeof first) => xen.join(parts.domain, hooks);
  return { xen, first, second: testDomain(32, 2, frames), join };
}

test('a domain finds the ports and grants that the tools have made', async () => {
  const { xen, first, join } = world();
  const parts = join(first);

  const ports = xen.openTools(parts, { store: first.frame, console: first.frame + 1 });
  const end = parts.eventPorts.bind(ports.console);
  const page = parts.grantedMemory.map(0, 'write');
  let heard = 0;
  end.listen(() => {
    heard++;
  });
  parts.channels.send(ports.console);
  await Promise.resolve();

  assert.equal(ports, { store: 1, console: 2 });
  assert.is(page.host, first.host + 4096);
  assert.is(heard, 1);
});

test('domains of one world find each other until one leaves', () => {
  const { xen, first, second, join } = world();
  const one = join(first);
  const two = join(second);
  one.grants.entries.writeEntry(9, GTF.permit_access, 2, first.frame);
  const there = one.channels.allocateUnbound(2);

  const here = two.channels.bindInterdomain(1, there);
  xen.leave(2);

  assert.is(here, 1);
  assert.equal(one.channels.channel(there), { state: 'unbound', domid: 2 });
  assert.is(
    answer(() => one.channels.bindInterdomain(2, here)),
    'ESRCH',
  );
});

test('what comes wakes the domain that waits', async () => {
  const { first, join } = world();
  const { channels } = join(first);
  channels.bindVirq(VIRQ.TIMER, 0);

  channels.sendVirq(VIRQ.TIMER);

  await first.domain.changed.wait();
  assert.ok(channels.bits.isDeliverable);
});

test('every hypercall of the world has a name of its own', () => {
  const { first, join } = world();

  const names = Object.keys(join(first).handlers).sort();

  assert.equal(names, [
    ...['console_io', 'dm_op', 'domctl', 'event_channel_op', 'event_channel_op_compat'],
    ...['grant_table_op', 'hvm_op', 'hypfs_op', 'kexec_op', 'physdev_op'],
    ...['platform_op', 'sched_op', 'sched_op_compat', 'set_timer_op', 'sysctl', 'vcpu_op'],
    ...['xen_version', 'xenoprof_op', 'xenpmu_op'],
  ]);
});

test.run();
