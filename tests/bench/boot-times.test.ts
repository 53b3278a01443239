import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { recordedBoots } from '../golden/record/boot-times.ts';
import { bootName, bootScenarios } from '../support/boot-scenarios.ts';
import { bootText } from './boot-times.ts';

const bench = suite('bench/boot-times');

const recorded = { recorded: '2026-01-02', how: 'somewhere', seconds: { 'grub-64': 1.234 } };

bench('ours stands beside what was recorded on Xen, with day and place', () => {
  const text = bootText(
    { width: 64, scenario: 'grub', seconds: { cold: 2.5, kept: 0.9 } },
    recorded,
  );

  assert.match(text, 'GRUB to its menu: 2.50 s cold, 0.90 s kept; target 3 and 1 s: met');
  assert.match(text, 'Xen 1.23 s from xl create (2026-01-02, somewhere)');
});

bench('what misses its target, is not recorded or not measured says so', () => {
  const slow = { width: 32, scenario: 'grub', seconds: { cold: 2, kept: 1.1 } } as const;

  assert.match(bootText(slow, recorded), /not met; not recorded on Xen$/);
  assert.match(bootText({ ...slow, seconds: undefined }, recorded), 'was not measured: no mke2fs');
});

bench('what was recorded is of each scenario and width', () => {
  const names = bootScenarios.flatMap(({ name }) => [bootName(name, 64), bootName(name, 32)]);

  assert.equal(Object.keys(recordedBoots().seconds).sort(), names.sort());
});

bench.run();
