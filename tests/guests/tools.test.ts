/** What a toolstack has of a domain image: its store, and asking it to end. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boot } from '../../runtime/index.ts';
import { makeGrub } from '../support/grub.ts';
import { buildGuest } from '../support/guest.ts';
import { buildPvGuest } from '../support/pv-guest.ts';

const tools = suite('guests/tools');

tools('a domain has its nodes; a kernel that does not listen takes no request', async () => {
  const image = await makeGrub(64, 'echo waiting\nsleep 60\n', ['echo', 'sleep']);
  const domain = await boot(image, { name: 'grub', memory: 64 * 2 ** 20 });
  const store = domain.tools?.store;
  await domain.console.expect('waiting');

  assert.is(store?.read('/local/domain/1/name'), 'grub');
  assert.is(store?.read('/local/domain/1/memory/target'), '65536');
  const asked = domain.tools.askToShutDown('poweroff');
  assert.is(store?.read('/local/domain/1/control/shutdown'), 'poweroff');
  assert.is(asked?.withdraw(), true);
  assert.is(await asked.acknowledged, false);

  domain.stop();
  assert.is((await domain.exited).status, 130);
});

for (const [request, status] of [
  ['poweroff', 0],
  ['reboot', 1],
] as const)
  for (const width of [64, 32] as const)
    tools(`x86-${width}: a kernel that watches does as it is asked: ${request}`, async () => {
      const image = await buildPvGuest('xenstore', width);
      const options = { name: 'pv', memory: 16 * 2 ** 20, commandLine: 'wait' };
      const domain = await boot(image, options);
      await domain.console.expect('waiting');

      const asked = domain.tools.askToShutDown(request);

      assert.equal(await domain.exited, { status, reason: 'shutdown' });
      assert.is(await asked.acknowledged, true);
      await domain.console.expect(`asked to ${request}`);
    });

tools('an application is in the store of its machine, too', async () => {
  const domain = await boot(buildGuest('int main(void) { return 0; }', 64));

  assert.is(domain.tools.store.read(`/local/domain/${domain.id}/name`), 'guest');
  assert.is((await domain.exited).status, 0);
});

tools.run();
