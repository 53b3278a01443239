/** Back-end and front-end come together and part. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XenbusState } from '../../../runtime/abi/io/xenbus.ts';
import { Backend, type BackendDevice } from '../../../runtime/backends/handshake.ts';
import {
  backendPath,
  createDevice,
  frontendPath,
  readState,
  writeState,
} from '../../../runtime/backends/xenbus.ts';
import { XenError } from '../../../runtime/errors.ts';
import { Xenstored } from '../../../runtime/xenstore/xenstored.ts';
import { freshSeed, type Random, random } from '../../support/random.ts';

const handshake = suite('runtime/backends/handshake');

const place = { type: 'vbd', frontend: 1, backend: 0, id: 768 };

function machine(parts: Partial<BackendDevice> = {}) {
  const xenstored = new Xenstored();
  xenstored.addDomain(1);
  const store = xenstored.connect();
  createDevice(store, place, { frontend: {}, backend: {} });
  const log: string[] = [];
  const device: BackendDevice = {
    advertise: () => {
      log.push('advertise');
      return { 'feature-persistent': 1 };
    },
    connect: (front) => {
      log.push(`connect ${front.number('ring-ref', 0xffff_ffff)} ${front.find('protocol')}`);
      return { sectors: 100 };
    },
    disconnect: () => {
      log.push('disconnect');
    },
    ...parts,
  };
  const guest = xenstored.connect(1);
  const front = (state: keyof typeof XenbusState): number => {
    writeState(guest, frontendPath(place), XenbusState[state]);
    return readState(guest, backendPath(place));
  };
  const backend = new Backend({ store, place, device });
  return { store, guest, front, log, backend };
}

handshake('a front-end connects, closes and connects again', () => {
  const { store, guest, front, log } = machine();
  const { InitWait, Connected, Closing, Closed } = XenbusState;
  assert.is(readState(guest, backendPath(place)), InitWait);
  assert.is(store.read(`${backendPath(place)}/feature-persistent`), '1');

  guest.write('device/vbd/768/ring-ref', 8);
  guest.write('device/vbd/768/protocol', 'x86_64-abi');
  const states = [front('Initialised'), front('Connected')];
  assert.is(store.read(`${backendPath(place)}/sectors`), '100');
  states.push(front('Closing'), front('Closed'), front('Initialising'), front('Connected'));

  assert.equal(states, [Connected, Connected, Closing, Closed, InitWait, Connected]);
  const connect = 'connect 8 x86_64-abi';
  assert.equal(log, ['advertise', connect, 'disconnect', 'advertise', connect]);
});

handshake('what a front-end gets wrong is told in the store, and it may try again', () => {
  const { store, guest, front, log } = machine();

  for (const bad of ['', '-1', '1.5', '0x10', '99999999999', '4294967296']) {
    guest.write('device/vbd/768/ring-ref', bad);
    assert.is(front('Initialised'), XenbusState.Closing, bad);
    assert.match(
      store.read('/local/domain/0/error/backend/vbd/1/768/error'),
      /^EINVAL .*ring-ref: expected 0 to 4294967295, not/,
    );
    assert.is(front('Closed'), XenbusState.Closed);
    assert.is(front('Initialising'), XenbusState.InitWait);
  }
  guest.write('device/vbd/768/ring-ref', 1);

  assert.is(front('Initialised'), XenbusState.Connected);
  assert.is(log.at(-1), 'connect 1 undefined');
});

handshake('a device that is still busy closes when it is not, and misses no state', async () => {
  const idle: (() => void)[] = [];
  const disconnect = (): Promise<void> => new Promise((resolve) => idle.push(resolve));
  const { guest, front } = machine({ disconnect });
  guest.write('device/vbd/768/ring-ref', 1);
  front('Connected');

  assert.is(front('Closed'), XenbusState.Connected);
  assert.is(front('Initialising'), XenbusState.Connected);
  idle[0]?.();
  await new Promise((resolve) => setImmediate(resolve));

  assert.is(readState(guest, backendPath(place)), XenbusState.InitWait);
});

handshake('a front-end that is gone is let go of, and so is one that is closed by us', async () => {
  const { store, guest, front, log, backend } = machine();
  guest.write('device/vbd/768/ring-ref', 1);
  front('Connected');

  store.remove(frontendPath(place));
  assert.equal([backend.state, log.at(-1)], ['Closed', 'disconnect']);
  await backend.close();
  createDevice(store, place, { frontend: {}, backend: {} });
  front('Initialising');

  assert.equal(log.filter((line) => line === 'advertise').length, 1);
});

const seed = Number(process.env['STUBDOM_SEED'] ?? freshSeed());

/** A device that is sometimes slow to let go, and sometimes cannot take up what it is given. */
function moodyDevice({ below }: Random) {
  let [isConnected, isLettingGo] = [false, false];
  const waiting: (() => void)[] = [];
  const device: BackendDevice = {
    advertise: () => ({ 'feature-x': below(2) }),
    connect: (front) => {
      assert.not(isConnected || isLettingGo);
      front.number('ring-ref', 100);
      if (below(4) === 0) throw new XenError('EACCES', 'not granted');
      isConnected = true;
      return { sectors: 1 };
    },
    disconnect: () => {
      isConnected = false;
      if (below(2) === 0) return undefined;
      isLettingGo = true;
      return new Promise((resolve) => {
        waiting.push(() => {
          isLettingGo = false;
          resolve();
        });
      });
    },
  };
  const letGo = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  return { device, letGo, isIdle: () => !isConnected && !isLettingGo };
}

const written = [...Object.values(XenbusState), '', 'x', '-1', '04', '4 '];

/** What a front-end, or the tools, do next. */
function meddle({ store, guest }: ReturnType<typeof machine>, { below }: Random): void {
  const choice = below(40);
  if (choice === 0) store.remove(frontendPath(place));
  else if (choice === 1) createDevice(store, place, { frontend: {}, backend: { state: 2 } });
  else if (store.find(frontendPath(place)) === undefined) return;
  else if (choice > 8) guest.write('device/vbd/768/state', written[below(written.length)] ?? '');
  else guest.write('device/vbd/768/ring-ref', below(10) === 0 ? 'none' : below(100));
}

handshake(
  `whatever a front-end writes, its back-end keeps to its states (STUBDOM_SEED=${seed})`,
  async () => {
    const numbers = random(seed);
    const { device, letGo, isIdle } = moodyDevice(numbers);
    const parts = machine(device);

    for (let round = 0; round < 20_000; round++) {
      meddle(parts, numbers);
      if (numbers.below(6) === 0) letGo();
      if (numbers.below(4) === 0) await Promise.resolve();
      const state = parts.store.read(`${backendPath(place)}/state`);
      assert.match(state, /^[2456]$/, `seed ${seed}, round ${round}`);
    }
    const patience = setInterval(letGo, 1);
    await parts.backend.close();
    clearInterval(patience);

    assert.ok(isIdle());
  },
);

handshake.run();
