/** What the domains of one machine find of each other. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MachineWorld } from '../../runtime/machine-world.ts';
import { FakeClock } from '../support/fake-clock.ts';

const world = suite('runtime/machine-world');

world('domains are numbered from 1 on, and each is in the store', () => {
  const machine = new MachineWorld({ clock: new FakeClock() });

  const ids = [machine.takeDomid(), machine.takeDomid()];
  for (const id of ids) machine.describe(id, { name: `guest ${id}`, memory: 2 ** 20 });
  const store = machine.store.connect();

  assert.equal(ids, [1, 2]);
  assert.equal(
    ids.map((id) => store.read(`/local/domain/${id}/name`)),
    ['guest 1', 'guest 2'],
  );
  assert.is(store.read('/local/domain/2/memory/target'), '1024');
  assert.not.equal(store.read('/local/domain/1/vm'), store.read('/local/domain/2/vm'));
});

world('a domain that has ended is no peer any more, and its number is not given again', () => {
  const machine = new MachineWorld({ clock: new FakeClock() });
  const deaf = { setPending: () => {}, clearPending: () => {}, unmask: () => {} };
  const id = machine.takeDomid();
  machine.describe(id, { name: 'guest', memory: 2 ** 20 });
  machine.store.serve(id);
  machine.xen.admit(id, deaf, () => {});
  const before = machine.xen.isThere(id);

  machine.end(id);

  assert.equal([before, machine.xen.isThere(id)], [true, false]);
  assert.is(machine.takeDomid(), 2);
});

world('the page of zeros is one for all', () => {
  const machine = new MachineWorld({ clock: new FakeClock() });

  assert.is(machine.zeros, machine.zeros);
});

world.run();
