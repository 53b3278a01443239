/** Mini-OS threads, waits and the console, as C programs use them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../support/fake-clock.ts';
import { type Program, testFile, Workbench } from '../support/program.ts';

const threads = suite<{ bench: Workbench }>('guests/threads');

threads.before((context) => {
  context.bench = new Workbench();
});
threads.after(({ bench }) => bench.remove());

const program = (level: string): Program => ({
  files: [testFile('guests/c/threads.c')],
  options: [level],
});

/** What each scene prints before it ends with 0. */
const scenes: Readonly<Record<string, string>> = {
  weave: 'weave: 0 wrong\n',
  semaphores: 'semaphores: 6380\n',
  sleeps: '10 20 30 40 50 in time\n',
  blocks: 'main 0 woken 0 main 1 woken 1 main 2 woken 2 main 3 \n',
  queues: 'condition 1 condition 2 condition 3 \n',
  jumps: 'one 5 two 5 \n',
  many: 'many: 2000\n',
  exhaust: 'exhausted after many\n',
};

const dialogueTimeout = { timeout: 10_000 };
/** A guest that waits costs the host less than this share of a CPU. */
const idleShare = 0.1;
const idleMilliseconds = 300;
/** V8 compiles for a while what has just run; a guest that spins would never let it be quiet. */
const idleWindows = 30;

async function cpuShare(milliseconds: number): Promise<number> {
  const [began, before] = [performance.now(), process.cpuUsage()];
  await sleep(milliseconds);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / (performance.now() - began);
}

for (const width of [64, 32] as const) {
  for (const level of ['-O0', '-O2'])
    for (const [scene, printed] of Object.entries(scenes))
      threads(`x86-${width} ${level}: ${scene}`, async ({ bench }) => {
        // A clock of its own: on a busy machine several sleepers would be due at once, in any order.
        const input = { arguments: [scene], memory: 32 * 2 ** 20, clock: new FakeClock() };

        const outcome = await bench.runGuest(program(level), width, input);

        assert.is(outcome.output.toString(), printed, outcome.report);
        assert.is(outcome.status, 0);
      });

  threads(`x86-${width}: two threads parked in one read get a byte each`, async ({ bench }) => {
    const guest = await bench.bootGuest(program('-O2'), width, ['readers']);

    await guest.console.expect('ready\n', dialogueTimeout);
    guest.console.write('1');
    await guest.console.expect(/[ab]1 /, dialogueTimeout);
    guest.console.write('23');
    await guest.console.expect(/[ab][23] [ab][23] /, dialogueTimeout);
    guest.console.write('..');
    await guest.console.expect(/[ab] ends\n[ab] ends\n/, dialogueTimeout);

    assert.is((await guest.exited).status, 0);
  });

  threads(`x86-${width}: a dialogue goes on while another thread ticks`, async ({ bench }) => {
    const guest = await bench.bootGuest(program('-O2'), width, ['dialogue']);

    await guest.console.expect('name? ', dialogueTimeout);
    guest.console.write('Ann');
    await guest.console.expect('...', dialogueTimeout);
    guest.console.write('a\n');
    await guest.console.expect('hello Anna\n', dialogueTimeout);
    await guest.console.expect('name? ', dialogueTimeout);
    guest.console.write('quit\n');

    assert.is((await guest.exited).status, 9);
  });

  threads(`x86-${width}: a dialogue sees the end of its input`, async ({ bench }) => {
    const guest = await bench.bootGuest(program('-O2'), width, ['dialogue']);

    guest.console.write('Bob\n');
    guest.console.end();
    await guest.console.expect('hello Bob\n', dialogueTimeout);
    await guest.console.expect('end of input\n', dialogueTimeout);

    assert.is((await guest.exited).status, 4);
  });

  threads(`x86-${width}: a guest whose threads all wait uses no CPU`, async ({ bench }) => {
    const guest = await bench.bootGuest(program('-O2'), width, ['readers']);
    await guest.console.expect('ready\n', dialogueTimeout);

    const shares: number[] = [];
    while (shares.length < idleWindows && (shares.at(-1) ?? 1) > idleShare)
      shares.push(await cpuShare(idleMilliseconds));
    guest.stop();

    assert.equal(await guest.exited, { status: 130, reason: 'stopped' });
    assert.ok((shares.at(-1) ?? 1) < idleShare, `of a CPU: ${shares.join(' ')}`);
  });

  threads(`x86-${width}: exit ends the domain though others wait`, async ({ bench }) => {
    const { status, reason } = await bench.runGuest(program('-O2'), width, {
      arguments: ['leave'],
    });

    assert.equal([status, reason], [33, 'exit']);
  });

  threads(`x86-${width}: where nobody can ever wake anyone, all are named`, async ({ bench }) => {
    const outcome = await bench.runGuest(program('-O2'), width, { arguments: ['stuck'] });

    assert.is(outcome.status, 3);
    assert.match(outcome.report ?? '', 'guest.elf: stopped: every thread waits');
    for (const name of ['main', 'first waiter', 'second waiter'])
      assert.match(outcome.report ?? '', new RegExp(`\\n {2}${name} is blocked`));
  });

  threads(`x86-${width}: a domain without threads has stopped`, async ({ bench }) => {
    const outcome = await bench.runGuest(program('-O2'), width, { arguments: ['ended'] });

    assert.is(outcome.status, 3);
    assert.match(outcome.report ?? '', 'every thread has ended, and none called exit');
  });
}

threads.run();
