/** What the domains of one machine find of each other. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DOMID } from '../../runtime/abi/xen.ts';
import { MachineWorld } from '../../runtime/machine-world.ts';
import { pageSize } from '../../runtime/memory/machine-memory.ts';
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

world(
  'the memory of a domain that has ended is the next one’s, zeroed, but for what others hold',
  () => {
    const { frames, memory, ...machine } = withDomain();
    const first = frames.allocate(1, 4);
    const host = frames.hostOf(first) ?? 0;
    memory.bytes().fill(7, host, host + 4 * pageSize);
    frames.addReference(first + 2, 1);

    machine.world.end(1);
    machine.world.takeDomid();
    const owners = [0, 1, 2, 3].map((i) => frames.ownerOf(first + i));
    frames.dropReference(first + 2);

    assert.equal(owners, [DOMID.INVALID, DOMID.INVALID, 1, DOMID.INVALID]);
    assert.is(frames.ownerOf(first + 2), DOMID.INVALID);
    assert.is(frames.countOf(1), 0);
    assert.ok(
      memory
        .bytes()
        .subarray(host, host + 4 * pageSize)
        .every((byte) => byte === 0),
    );
  },
);

function withDomain() {
  const machine = new MachineWorld({ clock: new FakeClock() });
  const id = machine.takeDomid();
  machine.describe(id, { name: 'guest', memory: 2 ** 20 });
  machine.store.serve(id);
  return { world: machine, frames: machine.frames, memory: machine.memory };
}

world('the page of zeros is one for all', () => {
  const machine = new MachineWorld({ clock: new FakeClock() });

  assert.is(machine.zeros, machine.zeros);
});

world.run();
