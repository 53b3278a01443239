/** Mini-OS's frame buffer and keyboard front-ends, from C, on the real back-ends; by the library and by the command. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode } from 'fast-png';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { whole } from '../../runtime/display/screen.ts';
import type { DomainWithConsole } from '../../runtime/index.ts';
import { runProcess } from '../../toolchain/process.ts';
import { type Program, testFile, Workbench } from '../support/program.ts';

const display = suite<{ bench: Workbench }>('guests/display');

display.before((context) => {
  context.bench = new Workbench();
});
display.after(({ bench }) => bench.remove());

const program: Program = { files: [testFile('guests/minios/display.c')], options: ['-O2'] };
const main = fileURLToPath(new URL('../../toolchain/cli/main.js', import.meta.url));

async function start(
  bench: Workbench,
  width: 64 | 32,
  scene: string,
  isShown: boolean | number = true,
): Promise<DomainWithConsole> {
  return await bench.bootGuest(program, width, [scene], { display: isShown });
}

async function finish(guest: DomainWithConsole): Promise<string> {
  guest.console.end();
  const { status, report } = await guest.exited;
  assert.is(status, 0, report);
  return guest.console.text;
}

function shown(guest: DomainWithConsole): NonNullable<DomainWithConsole['display']> {
  if (guest.display === undefined) throw new TypeError('the guest has no display');
  return guest.display;
}

const [columns, rows] = [40, 30];
const gradient = Array.from({ length: columns * rows }, (_, i) => [
  ...[i % columns, Math.floor(i / columns), 0x40],
]);

for (const width of [64, 32] as const) {
  display(
    `x86-${width}: what is drawn is seen, and what has changed is told`,
    async ({ bench }) => {
      const guest = await start(bench, width, 'picture');
      const { screen } = shown(guest);
      const told: string[] = [];
      screen.listen((part) => told.push(`${part.x} ${part.y} ${part.width} ${part.height}`));

      const printed = await finish(guest);

      assert.is(printed, 'events 0\ndrawn\n');
      assert.equal(told, ['0 0 40 30', '2 3 4 5', '0 20 40 10']);
      assert.equal([screen.width, screen.height], [columns, rows]);
      const expected = gradient.flatMap((pixel) => [...pixel, 255]);
      assert.equal([...screen.pixels(whole(screen))], expected);
    },
  );

  display(
    `x86-${width}: a full ring is waited for, and pictures change their shape`,
    async ({ bench }) => {
      const guest = await start(bench, width, 'resize');
      const { screen } = shown(guest);
      const shapes = new Set<string>();
      let last: number[] = [];
      screen.listen(() => {
        shapes.add(`${screen.width} ${screen.height}`);
        if (screen.width === 20) last = [...screen.pixels(whole(screen))];
      });

      const printed = await finish(guest);

      assert.is(printed, 'again 1\ndrawn\n');
      assert.equal([...shapes], ['40 30', '20 10']);
      assert.equal(last, Array(20 * 10 * 4).fill(255));
    },
  );

  display(`x86-${width}: keys, positions and motions arrive in order`, async ({ bench }) => {
    const guest = await start(bench, width, 'keys');
    const { input } = shown(guest);
    const area = { width: 100, height: 100 };
    await guest.console.expect('ready');
    input.key(30, true);
    input.key(30, false);
    input.point(10, 20, area);
    input.wheel(2);
    for (let n = 0; n < 10; n++) input.key(16 + n, true);
    for (const isPressed of [true, false]) input.key(1, isPressed);
    await guest.console.expect('again');
    input.point(13, 18, area);
    for (const isPressed of [true, false]) input.key(1, isPressed);

    const printed = await finish(guest);

    const many = Array.from({ length: 10 }, (_, n) => `key ${16 + n} 1\n`).join('');
    assert.is(
      printed,
      `ready\nkey 30 1\nkey 30 0\nat 10 20 0\nby 0 0 -2\n${many}key 1 1\nkey 1 0\nagain\nby 3 -2 0\nkey 1 1\nkey 1 0\n`,
    );
  });

  display(`x86-${width}: as descriptors they are polled, read and closed`, async ({ bench }) => {
    const guest = await start(bench, width, 'descriptors');
    const { input } = shown(guest);
    await guest.console.expect('ready');
    input.key(30, true);
    await guest.console.expect('waiting');
    input.key(31, true);

    const printed = await finish(guest);

    assert.equal(printed.split('\n'), [
      'none -1 No more processes',
      'one byte -1 Invalid argument',
      'write -1 Bad file number',
      'ready',
      'poll 1, 1 0',
      'key 30 1',
      'waiting',
      'key 31 1',
      'shut down: 17, 0',
      'close 0 0',
      '',
    ]);
  });

  display(
    `x86-${width}: two screens have pictures and keyboards of their own`,
    async ({ bench }) => {
      const guest = await start(bench, width, 'two', 2);
      const [one, other] = guest.displays;
      if (one === undefined || other === undefined) throw new TypeError('there are not two');
      await guest.console.expect('ready');
      for (const [n, { input }] of [one, other].entries()) input.key(30 + n, true);

      const printed = await finish(guest);

      const dots = [one, other].map(({ screen }) => [
        ...screen.pixels(whole(screen)).subarray(0, 4),
      ]);
      assert.equal(dots, [
        [0x11, 0x22, 0x33, 255],
        [0x44, 0x55, 0x66, 255],
      ]);
      assert.is(printed, 'ready\nkey 30 1\n0\nkey 31 1\n1\n');
    },
  );

  display(`x86-${width}: no device, and no picture, are no front-ends`, async ({ bench }) => {
    const without = await finish(await start(bench, width, 'none', false));
    const bad = await finish(await start(bench, width, 'bad'));

    assert.is(without, 'device/vkbd/0: no such device\ndevice/vfb/7: no such device\n1 1\n');
    assert.is(bad, 'device/vfb/0: no back-end: closed\n1\n');
  });
}

display('the command leaves a picture of each of two screens', async ({ bench }) => {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-display-'));
  const pictures = ['one.png', 'two.png'].map((name) => join(directory, name));
  const image = await bench.image(program, 64);
  const options = pictures.flatMap((picture) => ['--screenshot', picture]);

  const words = [main, 'run', ...options, image, '--', 'two'];
  const { status, stderr } = await runProcess(process.execPath, words, { input: '' });

  assert.is(status, 0, stderr);
  const dots = pictures.map((picture) => [...decode(readFileSync(picture)).data.subarray(0, 3)]);
  assert.equal(dots, [
    [0x11, 0x22, 0x33],
    [0x44, 0x55, 0x66],
  ]);
  rmSync(directory, { recursive: true });
});

display('the command leaves the picture in a file', async ({ bench }) => {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-display-'));
  const picture = join(directory, 'picture.png');
  const image = await bench.image(program, 64);

  const { status, stderr } = await runProcess(process.execPath, [
    ...[main, 'run', '--screenshot', picture, image, '--', 'picture'],
  ]);

  assert.is(status, 0, stderr);
  const png = decode(readFileSync(picture));
  assert.equal([png.width, png.height, png.channels], [columns, rows, 3]);
  assert.equal([...png.data], gradient.flat());
  rmSync(directory, { recursive: true });
});

display.run();
