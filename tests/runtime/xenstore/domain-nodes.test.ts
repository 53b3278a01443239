/** A domain's nodes against those that libxl makes on Xen, as `xenstore-ls -fp` shows them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { StoreClient } from '../../../runtime/xenstore/client.ts';
import {
  createDomainNodes,
  createHostNodes,
  removeDomainNodes,
} from '../../../runtime/xenstore/domain-nodes.ts';
import { Xenstored } from '../../../runtime/xenstore/xenstored.ts';
import { projectDirectory } from '../../support/source-files.ts';

const nodes = suite('runtime/xenstore/domain-nodes');

const recorded = readFileSync(join(projectDirectory, 'tests/golden/xenstore/domain.txt'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('/'));

/** As xenstore-ls -fp. */
function list(store: StoreClient, path = '/'): string[] {
  return store.directory(path).flatMap((name) => {
    const child = path === '/' ? `/${name}` : `${path}/${name}`;
    const permissions = store.permissions(child).join(',');
    return [`${child} = "${store.read(child)}"   (${permissions})`, ...list(store, child)];
  });
}

const description = {
  domid: 1,
  name: 'guest',
  uuid: 'fb33e9b3-dcff-4511-9640-dbcc421f8aff',
  memoryKiB: 65536,
  vcpus: 1,
  kernel: '/guest/image',
  startTime: 1795394921.66,
  store: { port: 1, ringRef: 131637n },
  console: { port: 2, ringRef: 131638n, tty: '/dev/pts/0' },
};

function machine() {
  const xenstored = new Xenstored();
  xenstored.addDomain(1);
  const store = xenstored.connect();
  createHostNodes(store);
  return { store };
}

nodes('all that is there on Xen is there, in its order, but the devices and what xl keeps', () => {
  const { store } = machine();
  const isElsewhere = /vbd|^\/local\/pool|dm-version/;

  createDomainNodes(store, description);

  const below = (lines: readonly string[], place: string): string[] =>
    lines.filter((line) => line.startsWith(place) && !isElsewhere.test(line));
  for (const place of ['/local/domain/1', '/local/domain/0', '/vm', '/libxl', '/tool'])
    assert.equal(below(list(store), place), below(recorded, place), place);
});

nodes('a domain without rings has no nodes for them', () => {
  const { store } = machine();
  const { store: _, console: __, ...plain } = description;

  createDomainNodes(store, { ...plain, vcpus: 2, ramdisk: 'r.gz', commandLine: 'quiet' });

  assert.is(store.find('/local/domain/1/store'), undefined);
  assert.is(store.find('/local/domain/1/console'), undefined);
  assert.equal(store.directory('/local/domain/1/cpu'), ['0', '1']);
  assert.equal(store.directory(`/vm/${plain.uuid}/image`), [
    'ostype',
    'kernel',
    'ramdisk',
    'cmdline',
  ]);
});

nodes('removed nothing of it is left', () => {
  const { store } = machine();
  const before = list(store);
  createDomainNodes(store, description);

  removeDomainNodes(store, 1);

  const left = list(store).filter((line) => !before.includes(line));
  assert.equal(
    left.map((line) => line.split(' ')[0]),
    ['/local/domain/0/backend', '/local/domain/0/backend/console', '/vm', '/libxl'],
  );
});

nodes.run();
