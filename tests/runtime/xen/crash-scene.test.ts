import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { likelyStack } from '../../../runtime/xen/crash-scene.ts';
import { testDomain } from '../../support/xen-domain.ts';
import { XenMachine } from '../../support/xen-machine.ts';

const scene = suite('runtime/xen/crash-scene');

scene('a stack ends where memory does, or after some pages', () => {
  const { domain, address } = testDomain(64);
  const end = address + 64n * 4096n;

  const { low, high, isGuess } = likelyStack(domain.guest, address + 0x1f00n);

  assert.equal([low, high, isGuess], [address + 0x1f00n, address + 0x5000n, true]);
  assert.is(likelyStack(domain.guest, end - 16n).high, end);
  assert.is(likelyStack(domain.guest, 0x7000_0008n).high, 0x7000_0008n);
});

for (const width of [64, 32] as const)
  scene(`${width}: a walk goes down to the page, or to where nothing is`, async () => {
    const machine = new XenMachine(width);
    const { attacker } = machine;
    const levels = width === 64 ? 4 : 3;
    attacker.kernel.handle({
      ...{ reason: 'exception', vector: 14, errorCode: 2, address: 0x5000n, detail: undefined },
    });
    const next = machine.next();
    const report = next.do === 'end' ? ((await next.ending).report ?? '') : '';

    const walk = [...report.matchAll(/\n {4}level (\d), frame 0x([0-9a-f]+)\[0x/g)];
    assert.equal(
      walk.map(([, level]) => Number(level)),
      Array.from({ length: levels }, (_, n) => levels - n),
    );
    assert.is(Number.parseInt(walk[0]?.[2] ?? '', 16), attacker.pv.root);
  });

scene.run();
