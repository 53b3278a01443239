/** A device's directories, as libxl makes them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XenbusState } from '../../../runtime/abi/io/xenbus.ts';
import {
  backendPath,
  createDevice,
  frontendPath,
  readState,
  removeDevice,
  watchState,
  writeState,
} from '../../../runtime/backends/xenbus.ts';
import { Xenstored } from '../../../runtime/xenstore/xenstored.ts';
import { projectDirectory } from '../../support/source-files.ts';

const xenbus = suite('runtime/backends/xenbus');

const disk = { type: 'vbd', frontend: 1, backend: 0, id: 51712 };

function machine() {
  const xenstored = new Xenstored();
  xenstored.addDomain(1);
  const store = xenstored.connect();
  return { xenstored, store };
}

xenbus('both ends find each other, and each may write its own directory', () => {
  const { store } = machine();

  createDevice(store, disk, {
    frontend: { 'virtual-device': 51712 },
    backend: { dev: 'xvda', mode: 'w' },
  });

  const [front, back] = ['/local/domain/1/device/vbd/51712', '/local/domain/0/backend/vbd/1/51712'];
  assert.equal([frontendPath(disk), backendPath(disk)], [front, back]);
  const values = (path: string): object =>
    Object.fromEntries(store.directory(path).map((name) => [name, store.read(`${path}/${name}`)]));
  assert.equal(values(front), {
    backend: back,
    'backend-id': '0',
    state: '1',
    'virtual-device': '51712',
  });
  assert.equal(values(back), {
    frontend: front,
    'frontend-id': '1',
    online: '1',
    state: '1',
    dev: 'xvda',
    mode: 'w',
  });
  assert.equal(store.permissions(`${front}/state`), ['n1', 'r0']);
  assert.equal(store.permissions(`${back}/state`), ['n0', 'r1']);
  assert.is(store.read('/libxl/1/device/vbd/51712/backend'), back);
});

xenbus('values and permissions are those that libxl gives a disk', () => {
  const { store } = machine();
  createDevice(store, disk, {
    frontend: { 'virtual-device': 51712, 'device-type': 'disk', trusted: 1 },
    backend: { removable: 0, bootable: 1, dev: 'xvda', type: 'phy', mode: 'w' },
  });

  const recorded = readFileSync(join(projectDirectory, 'tests/golden/xenstore/domain.txt'), 'utf8')
    .split('\n')
    .filter((line) => /^\S*vbd\/\S*51712\/\S+ = /.test(line));
  const paths = recorded.map((line) => line.split(' ')[0] ?? '');
  const ours = paths
    .filter((path) => store.find(path) !== undefined)
    .map((path) => `${path} = "${store.read(path)}"   (${store.permissions(path).join(',')})`);

  // The guest and its back-end have come to states of their own since.
  const settled = ours.filter((line) => !/51712\/state = /.test(line));
  assert.is(settled.length, 22);
  assert.equal(
    settled,
    recorded.filter((line) => settled.includes(line)),
  );
});

xenbus('made again it is new, and removed nothing of it is left', () => {
  const { store } = machine();
  const nothing = { frontend: {}, backend: {} };
  createDevice(store, disk, nothing);
  store.write(`${frontendPath(disk)}/ring-ref`, 8);

  createDevice(store, disk, nothing);
  assert.is(store.find(`${frontendPath(disk)}/ring-ref`), undefined);
  removeDevice(store, disk);

  assert.is(store.find(frontendPath(disk)), undefined);
  assert.is(store.find('/local/domain/0/backend/vbd'), undefined);
  assert.equal(store.directory('/libxl/1/device/vbd'), []);
});

xenbus('a state that is none is Unknown, and a watch tells each change once', () => {
  const { store } = machine();
  createDevice(store, disk, { frontend: {}, backend: {} });
  const path = frontendPath(disk);
  const told: number[] = [];

  const stop = watchState(store, path, (state) => told.push(state));
  store.write(`${path}/state`, '9 lives');
  assert.is(readState(store, path), XenbusState.Unknown);
  writeState(store, path, XenbusState.Connected);
  writeState(store, path, XenbusState.Connected);
  store.remove(path);
  stop();
  writeState(store, path, XenbusState.Closed);

  assert.equal(told, [1, 0, 4, 0]);
});

xenbus.run();
