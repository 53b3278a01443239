/** Functions are made when they are called; all of an image when its guest is busy. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Vcpu } from '../../../runtime/cpu/vcpu.ts';
import { RBX } from '../../../runtime/x86/registers.ts';
import { AssemblyGuest, assemble } from '../../support/lockstep-guest.ts';

const test = suite('runtime/cpu/whole-image');

/** Counts to a thousand through two functions; a third is never called. */
const source = `start: mov rbx, 0
again: call first
       cmp rbx, 1000
       jne again
       vmcall
first: call second
       ret
second: add rbx, 1
       ret
third: call second
       ret`;

const isMade = (cpu: Vcpu, entry: bigint): boolean =>
  cpu.keep().modules.some(({ functions }) => functions.some((fn) => fn.entry === entry));

for (const width of [64, 32] as const) {
  test(`${width}: what is not called is not made, until the guest has been busy`, async () => {
    const entries = ['start', 'third'];
    const guest = new AssemblyGuest(width, assemble(width, source), { entries, tier: 'adaptive' });
    const { cpu } = guest;
    let sizeWhenWhole: number | undefined;
    cpu.whenWhole(() => {
      sizeWhenWhole = cpu.translationSize.functions;
    });
    await cpu.begin();
    assert.is(cpu.translationSize.functions, 0);

    let slices = 0;
    for (let reason = 'poll'; reason === 'poll' || reason === 'translate'; slices++) {
      cpu.setPolls(20);
      ({ reason } = cpu.run((asked) => asked.reason === 'translate' && cpu.translateNow()));
      if (reason === 'translate') await cpu.translate();
      if (slices === 8) {
        assert.not(isMade(cpu, guest.at('third')), 'it was never called');
        assert.is(sizeWhenWhole, undefined);
      }
    }

    assert.is(cpu.register(RBX), 1000n);
    assert.ok(slices > 20);
    assert.ok(isMade(cpu, guest.at('third')), 'it belongs to the image');
    // start, first, second, third and the hot loop, and what is entered in its midst.
    assert.ok(sizeWhenWhole !== undefined && sizeWhenWhole <= 7, `${sizeWhenWhole} functions`);
    assert.ok(cpu.liveModules <= 3, `${cpu.liveModules} modules`);
  });
}

test('a translation says whether it is whole, and one that is not goes on where it is taken over', async () => {
  const code = assemble(64, source);
  const options = { entries: ['start', 'third'], tier: 'adaptive' } as const;
  const first = new AssemblyGuest(64, code, options);
  await first.cpu.begin();
  await first.cpu.translate();
  const kept = first.cpu.keep();
  assert.not(kept.isWhole);

  const second = new AssemblyGuest(64, code, options);
  assert.ok(second.cpu.restore(kept));
  let isWhole = false;
  second.cpu.whenWhole(() => {
    isWhole = true;
  });
  for (let reason = 'poll'; reason === 'poll' || reason === 'translate'; ) {
    second.cpu.setPolls(20);
    ({ reason } = second.cpu.run());
    if (reason === 'translate') await second.cpu.translate();
  }

  assert.ok(isWhole);
  assert.is(second.cpu.register(RBX), 1000n);
  assert.ok(second.cpu.keep().isWhole);
});

test.run();
