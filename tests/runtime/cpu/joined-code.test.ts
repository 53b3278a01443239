/** Functions are made when they are called, and once more as one module when the guest is busy. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Vcpu } from '../../../runtime/cpu/vcpu.ts';
import { RBX } from '../../../runtime/x86/registers.ts';
import { AssemblyGuest, assemble } from '../../support/lockstep-guest.ts';

const test = suite('runtime/cpu/joined-code');

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

/** Runs it in slices of 20 polls; `each` hears how many there were. */
async function runInSlices(cpu: Vcpu, each: (slices: number) => void = () => {}): Promise<number> {
  let slices = 0;
  for (let reason = 'poll'; reason === 'poll' || reason === 'translate'; slices++) {
    cpu.setPolls(20);
    ({ reason } = cpu.run((asked) => asked.reason === 'translate' && cpu.translateNow()));
    if (reason === 'translate') await cpu.translate();
    each(slices);
  }
  return slices;
}

const entriesOf = (cpu: Vcpu): readonly (readonly bigint[])[] =>
  cpu.keep().modules.map(({ functions }) => functions.map(({ entry }) => entry));

for (const width of [64, 32] as const) {
  test(`${width}: what has run becomes one module when the guest has been busy, what has not is never made`, async () => {
    const entries = ['start', 'third'];
    const guest = new AssemblyGuest(width, assemble(width, source), { entries, tier: 'adaptive' });
    const { cpu } = guest;
    let sizeWhenJoined: number | undefined;
    cpu.whenJoined(() => {
      sizeWhenJoined ??= cpu.translationSize.functions;
    });
    await cpu.begin();
    assert.is(cpu.translationSize.functions, 0);

    const slices = await runInSlices(cpu, (done) => {
      if (done === 8) assert.is(sizeWhenJoined, undefined);
    });

    assert.is(cpu.register(RBX), 1000n);
    assert.ok(slices > 20);
    const called = ['start', 'first', 'second'].map((name) => guest.at(name));
    const joined = entriesOf(cpu).filter((of) => called.every((entry) => of.includes(entry)));
    assert.is(joined.length, 1, 'one module has all that ran');
    assert.not(entriesOf(cpu).flat().includes(guest.at('third')), 'it was never called');
    // start, first, second and the hot loop, and what is entered in its midst.
    assert.ok(sizeWhenJoined !== undefined && sizeWhenJoined <= 6, `${sizeWhenJoined} functions`);
    assert.ok(cpu.liveModules <= 3, `${cpu.liveModules} modules`);
  });
}

for (const width of [64, 32] as const) {
  const scale = width / 8;

  test(`${width}: calls through pointers count the same before and after it is known what they call`, async () => {
    // A small function, one that loops, one that jumps on by a pointer, and one that is called once in 256 rounds.
    const calling = `start: mov rbx, 0
       mov rcx, 0
again: mov rsi, rcx
       and rsi, 3
       test cl, cl
       jne often
       mov rsi, 4
often: mov rdi, offset table
       call apply
       add rcx, 1
       cmp rcx, 20000
       jne again
       vmcall
apply: jmp [rdi + rsi * ${scale}]
one:   add rbx, 1
       ret
loops: mov rax, 3
more:  add rbx, 1
       sub rax, 1
       jne more
       ret
on:    mov rdx, offset one
       jmp rdx
calls: call apply2
       ret
apply2: mov rdx, offset one
       call rdx
       add rbx, 100
       ret
seldom: add rbx, 100000
       ret
       .balign 8
table: .${width === 64 ? 'quad' : 'long'} one, loops, on, calls, seldom`;
    const guest = new AssemblyGuest(width, assemble(width, calling), {
      entries: ['start', 'apply', 'one', 'loops', 'on', 'calls', 'apply2', 'seldom'],
      tier: 'adaptive',
    });
    const { cpu } = guest;
    let joined = 0;
    cpu.whenJoined(() => joined++);
    await cpu.begin();

    await runInSlices(cpu);

    assert.ok(joined > 0);
    const seldom = Math.ceil(20000 / 256);
    const [ones, threes, hundreds] = [5000 + 5000 - seldom, 5000, 5000];
    const expected = ones + 3 * threes + 101 * hundreds + 100000 * seldom;
    assert.is(cpu.register(RBX), BigInt(expected));
  });
}

test('what is called later is joined to the rest, after four times as long', async () => {
  // What it calls first has no fast form: it is a loop with two ways in.
  const later = `start: mov rbx, 0
again: call first
       cmp rbx, 20000
       jb again
       call other
       cmp rbx, 200000
       jne again
       vmcall
first: call second
       mov ecx, 1
       test bl, 1
       jne mid
top:   nop
mid:   sub ecx, 1
       jns top
       ret
second: add rbx, 1
       ret
other: sub rbx, 1
       add rbx, 1
       ret`;
  const guest = new AssemblyGuest(64, assemble(64, later), {
    entries: ['start'],
    tier: 'adaptive',
  });
  const { cpu } = guest;
  const joinedAt: { slice: number; hasOther: boolean }[] = [];
  let slice = 0;
  cpu.whenJoined(() => {
    const both = [guest.at('start'), guest.at('first')];
    const joined = entriesOf(cpu).filter((of) => both.every((entry) => of.includes(entry)));
    assert.is(joined.length, 1, 'what was joined before is gone');
    joinedAt.push({ slice, hasOther: joined.flat().includes(guest.at('other')) });
  });
  await cpu.begin();
  await runInSlices(cpu, (done) => {
    slice = done;
  });

  assert.is(cpu.register(RBX), 200000n);
  assert.equal(
    joinedAt.map(({ hasOther }) => hasOther),
    [false, true],
  );
  const [first, second] = joinedAt;
  assert.ok(first && second && second.slice - first.slice >= 64, JSON.stringify(joinedAt));
});

test('a run that takes over what was made one by one goes on with it', async () => {
  const code = assemble(64, source);
  const options = { entries: ['start', 'third'], tier: 'adaptive' } as const;
  const first = new AssemblyGuest(64, code, options);
  await first.cpu.begin();
  await first.cpu.translate();
  const kept = first.cpu.keep();
  assert.not(kept.isWhole);

  const second = new AssemblyGuest(64, code, options);
  assert.ok(second.cpu.restore(kept));
  let isJoined = false;
  second.cpu.whenJoined(() => {
    isJoined = true;
  });
  await runInSlices(second.cpu);

  assert.ok(isJoined);
  assert.is(second.cpu.register(RBX), 1000n);
});

test.run();
