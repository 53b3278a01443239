/** A guest is asked to shut down, and takes it or does not. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { askToShutDown, saysItCan } from '../../../runtime/xenstore/control.ts';
import { createDomainNodes } from '../../../runtime/xenstore/domain-nodes.ts';
import { Xenstored } from '../../../runtime/xenstore/xenstored.ts';
import { StoreGuest } from '../../support/store-guest.ts';

const control = suite('runtime/xenstore/control');

function machine() {
  const xenstored = new Xenstored();
  const guest = StoreGuest.introduce(xenstored, 1);
  const store = xenstored.connect();
  createDomainNodes(store, {
    ...{ domid: 1, name: 'a', uuid: 'u', memoryKiB: 1024, vcpus: 1, kernel: 'k', startTime: 0 },
  });
  return { guest, store };
}

control('a guest that watches hears the request, takes it, and that is known', async () => {
  const { guest, store } = machine();
  guest.ask('WATCH', 'control/shutdown|token|');
  guest.ask('WRITE', 'control/feature-poweroff|1');
  assert.ok(saysItCan(store, 1, 'poweroff'));
  assert.not(saysItCan(store, 1, 'suspend'));

  const asked = askToShutDown(store, 1, 'poweroff');
  assert.is(guest.take()[0]?.payload, 'control/shutdown\0token\0');
  assert.equal(guest.ask('READ', 'control/shutdown|'), ['poweroff']);
  guest.ask('WRITE', 'control/shutdown|');

  assert.is(await asked.acknowledged, true);
  assert.is(asked.withdraw(), false);
});

control('a guest that reacts at once is not missed', async () => {
  const { store } = machine();
  store.watch('/local/domain/1/control/shutdown', (path) => {
    if (store.read(path) !== '') store.write(path, '');
  });

  assert.is(await askToShutDown(store, 1, 'reboot').acknowledged, true);
});

control(
  'a request that nobody takes can be withdrawn, and one may take the place of another',
  async () => {
    const { guest, store } = machine();

    const first = askToShutDown(store, 1, 'suspend');
    const second = askToShutDown(store, 1, 'poweroff');
    assert.is(await first.acknowledged, false);
    assert.is(second.withdraw(), true);

    assert.is(await second.acknowledged, false);
    assert.equal(guest.ask('READ', 'control/shutdown|'), ['']);
  },
);

control('a domain that is gone answers no', async () => {
  const { store } = machine();
  const { acknowledged } = askToShutDown(store, 1, 'poweroff');

  store.remove('/local/domain/1');

  assert.is(await acknowledged, false);
});

control.run();
