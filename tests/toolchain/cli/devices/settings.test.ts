/** NAME=VALUE settings: each is taken once, and what nobody takes is refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Settings } from '../../../../toolchain/cli/devices/settings.ts';
import { assertRefused } from '../../../support/assert-refused.ts';

const test = suite('toolchain/cli/devices/settings');

const read = (text: string): Settings => new Settings(`vif '${text}'`, text.split(','));

test('names and values, spaces and empty settings aside', () => {
  const settings = read(' a = 1=2 ,,b=x,b=y,c');

  assert.is(settings.one('a'), '1=2');
  assert.equal(settings.all('b'), ['x', 'y']);
  assert.ok(settings.flag('c'));
  assert.not(settings.flag('d'));
  assert.is(settings.one('a'), undefined);
  settings.finish('a, b, c, d');
});

test('what is wrong is said with where it stands', async () => {
  await assertRefused(() => read('a=1,a=2').one('a'), "vif 'a=1,a=2': a is given twice");
  await assertRefused(() => read('a=yes').flag('a'), "vif 'a=yes': a=yes: expected on or off");
  await assertRefused(() => read('z=1').finish('a, b'), "vif 'z=1': no z; there are a, b");
});

test.run();
