/** Mini-OS's consoles, from C: the first, and rings with back-ends of their own; by the library and by the command. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type DomainWithConsole, MemoryConsole } from '../../runtime/index.ts';
import { runProcess } from '../../toolchain/process.ts';
import { type Program, testFile, Workbench } from '../support/program.ts';

const consoles = suite<{ bench: Workbench }>('guests/console');

consoles.before((context) => {
  context.bench = new Workbench();
});
consoles.after(({ bench }) => bench.remove());

const program: Program = { files: [testFile('guests/minios/console.c')], options: ['-O2'] };
const main = fileURLToPath(new URL('../../toolchain/cli/main.js', import.meta.url));

interface Talk {
  readonly guest: DomainWithConsole;
  /** By their numbers. */
  readonly others: ReadonlyMap<number, MemoryConsole>;
}

async function start(
  bench: Workbench,
  width: 64 | 32,
  scene: string,
  numbers: readonly number[],
): Promise<Talk> {
  const others = new Map(numbers.map((number) => [number, new MemoryConsole()]));
  const given = [...others].map(([id, { guest }]) => ({ id, console: guest }));
  return { guest: await bench.bootGuest(program, width, [scene], { consoles: given }), others };
}

async function finish({ guest }: Talk): Promise<string[]> {
  const { status, report } = await guest.exited;
  assert.is(status, 0, report);
  return guest.console.text.split('\n');
}

for (const width of [64, 32] as const) {
  consoles(`x86-${width}: rings carry what is sent and typed, each its own`, async ({ bench }) => {
    const talk = await start(bench, width, 'rings', [1, 3]);
    const [one, three] = [talk.others.get(1), talk.others.get(3)];
    await talk.guest.console.expect('ready');
    one?.write('answer');
    three?.write('yes');

    const printed = await finish(talk);

    assert.equal(printed, [
      'device/console/1 device/console/3',
      ...['recv 0', 'sent 4', 'sent 5', 'ready', 'answer', 'yes', 'full 2048 0'],
      ...['device/console/9: no such device', 'none 1'],
      ...['device/console/4: no such device', 'none 1', ''],
    ]);
    assert.is(one?.text, `one\n${'x'.repeat(2048 + 4096)}end\r\nagain`);
    assert.is(three?.text, 'three lines\r\nand\r\nraw\n');
  });

  consoles(`x86-${width}: the first console by the same calls`, async ({ bench }) => {
    const talk = await start(bench, width, 'first', []);
    await talk.guest.console.expect('ready');
    talk.guest.console.write('typed\n');
    await talk.guest.console.expect('more');
    talk.guest.console.write('end');

    const printed = await finish(talk);

    assert.equal(printed, [
      ...['device/console, avail 0', 'printed', 'sent', 'sent 5', 'ready', 'typed', '', 'more'],
      ...['end', ''],
    ]);
  });

  consoles(`x86-${width}: as descriptors they are read, written and polled`, async ({ bench }) => {
    const talk = await start(bench, width, 'descriptors', [1, 2, 3]);
    const [save, restore, serial] = [1, 2, 3].map((id) => talk.others.get(id));
    await talk.guest.console.expect('ready');
    restore?.write('restore');
    await talk.guest.console.expect('waiting');
    serial?.write('key');

    const printed = await finish(talk);

    assert.equal(printed, [
      ...['mode 20666', 'mode 100600', 'write 4', 'write 4', 'read -1 1', 'poll 1, 4', 'ready'],
      ...['poll 1, 1', 'read 7 restore', 'all 4096', 'waiting', 'read 1', '2 wait, k'],
      ...['device/console/9: no such device', 'opened -1 1', 'write 5', ''],
    ]);
    assert.is(serial?.text, 'a\r\nb\r\n');
    assert.is(save?.text, `a\nb\n${'y'.repeat(4096)}again`);
  });
}

consoles('the command has files behind them', async ({ bench }) => {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-console-'));
  const [output, input] = [join(directory, 'output'), join(directory, 'input')];
  writeFileSync(input, 'answer, and more');
  const image = await bench.image(program, 64);

  const { status, stdout, stderr } = await runProcess(process.execPath, [
    ...[main, 'run', '--console', `1,output=${output},input=${input}`],
    ...['--console', `3,input=${input}`, image, '--', 'rings'],
  ]);

  assert.is(status, 0, stderr);
  // Nobody waited until the ring was empty.
  assert.match(stdout, /ready\nanswer\nans\nfull (204[0-8]) 0\n/);
  assert.match(readFileSync(output, 'latin1'), /^one\nx{6136,6144}end\r\nagain$/);
  rmSync(directory, { recursive: true });
});

consoles.run();
