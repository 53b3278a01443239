import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isXlKey } from '../../../toolchain/cli/xl-keys.ts';

const keys = suite('toolchain/cli/xl-keys');

keys('keys of xl are told from words', () => {
  for (const key of ['name', 'vif', 'p9', 'acpi', 'xend_suspend_evtchn_compat', 'on_soft_reset'])
    assert.ok(isXlKey(key), key);
  for (const word of ['', 'nope', 'Name', 'disks', 'toString']) assert.not(isXlKey(word), word);
});

keys.run();
