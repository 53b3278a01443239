import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GrantCache } from '../../../runtime/backends/grant-cache.ts';
import { MachineMemory } from '../../../runtime/memory/machine-memory.ts';
import { FakeGrants } from '../../support/fake-grants.ts';

const cache = suite('runtime/backends/grant-cache');

cache('a cache for none only passes on', () => {
  const grants = new FakeGrants(new MachineMemory());
  const { gref } = grants.page('read');
  const passing = new GrantCache(grants, 0);

  passing.map(gref, 'read').unmap();

  assert.is(grants.mapped, 0);
  assert.throws(() => passing.map(gref, 'write'), /for reading/);
});

cache('the least recently used goes when there is no room', () => {
  const grants = new FakeGrants(new MachineMemory());
  const [a, b, c] = [grants.page(), grants.page(), grants.page()];
  const kept = new GrantCache(grants, 2);
  for (const { gref } of [a, b, a, c, a]) kept.map(gref, 'read').unmap();

  assert.is(grants.mappings, 3);
  assert.is(grants.mapped, 2);
  kept.map(b.gref, 'read').unmap();
  assert.is(grants.mappings, 4);
});

cache('what is in use is not pushed out; then mappings are not kept', () => {
  const grants = new FakeGrants(new MachineMemory());
  const [a, b] = [grants.page(), grants.page('read')];
  const kept = new GrantCache(grants, 1);
  const held = kept.map(a.gref, 'read');

  const other = kept.map(b.gref, 'read');
  assert.is(other.host, b.host);
  other.unmap();
  assert.is(grants.mapped, 1);

  held.unmap();
  kept.close();
  assert.is(grants.mapped, 0);
});

cache('what is to be kept must be granted for writing', () => {
  const grants = new FakeGrants(new MachineMemory());
  const { gref } = grants.page('read');

  assert.throws(() => new GrantCache(grants, 5).map(gref, 'read'), /for reading/);
});

cache.run();
