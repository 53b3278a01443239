/** `Minios`, the OCaml library, from programs in guests, on the machine's own back-ends. The short tier has x86-64 native code. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryDisk } from '../../runtime/backends/block/memory-disk.ts';
import { boot, type DomainWithConsole, Machine } from '../../runtime/index.ts';
import { cable } from '../../runtime/network/frame.ts';
import { type Width, widths } from '../../toolchain/index.ts';
import { buildCaml } from '../../toolchain/ocaml/build.ts';
import { BusyClock } from '../support/busy-clock.ts';
import { isFull, testFile } from '../support/program.ts';

const library = suite<{ directory: string }>('guests/caml-library');

library.before((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-library-'));
});
library.after(({ directory }) => rmSync(directory, { recursive: true }));

interface Kind {
  readonly width: Width;
  readonly isBytecode: boolean;
}

const all: readonly Kind[] = ([64, 32] as const).flatMap((width) =>
  [false, true].map((isBytecode) => ({ width, isBytecode })),
);
const kinds = isFull ? all : all.slice(0, 1);
if (!isFull) process.stdout.write('skipped: x86-32 and bytecode; --full has them\n');

async function build(name: string, kind: Kind, directory: string): Promise<Uint8Array> {
  const output = join(directory, `${name}-${kind.width}-${kind.isBytecode}.elf`);
  const { status, messages } = await buildCaml({
    ...{ ...kind, output, packages: ['minios', 'threads.posix'] },
    arguments: ['-g', testFile(`guests/caml-library/${name}.ml`)],
  });
  assert.is(status, 0, messages);
  return new Uint8Array(readFileSync(output));
}

async function ended({ console, exited }: DomainWithConsole): Promise<string> {
  const { status, report } = await exited;
  assert.is(status, 0, `${console.text}${report ?? ''}`);
  return console.text;
}

for (const kind of kinds) {
  const name = `${widths[kind.width].name}${kind.isBytecode ? ' bytecode' : ''}`;

  library(`domains share pages and send each other events: ${name}`, async ({ directory }) => {
    const image = await build('domains', kind, directory);
    const clock = new BusyClock();
    const machine = new Machine({ clock });

    const first = await machine.boot(image, { name: 'first', arguments: ['2'] });
    const offered = /offer (.*)\n/.exec(await first.console.expect(/offer .*\n/))?.[1] ?? '';
    const words = [String(first.id), ...offered.split(' ')];
    // Whatever the first still waits for, the second's event comes before the time does.
    clock.holdTimers();
    const second = await machine.boot(image, {
      ...{ name: 'second', arguments: words },
      trace: ({ text }) => {
        if (text.startsWith('notify_remote_via_evtchn')) clock.letTimersGo();
      },
    });
    const [firstText, secondText] = await Promise.all([ended(first), ended(second)]);

    assert.is(secondText, 'console 7\nheard: I hear you.\nunmapped\nno such grant\n');
    assert.is(
      firstText,
      `console 7\noffer ${offered}\nheard: Can you hear me?\nsecond page: 2\nstill in use\ntaken back\nclosed\n`,
    );
  });

  library(`a disk is read and written at any byte: ${name}`, async ({ directory }) => {
    const image = await build('devices', kind, directory);
    const bytes = new Uint8Array(2 ** 17);
    const disks = [{ vdev: 'xvda', disk: new MemoryDisk(bytes) }];

    const text = await ended(await boot(image, { name: 'block', arguments: ['block'], disks }));

    // What the front-end itself says does not wait in a buffer.
    assert.is(
      text,
      [
        'device/vbd/9: no such device',
        '256 sectors of 512, writable',
        '1 3 0',
        'Minios.Block.read: Invalid argument',
        'device/vbd/9: No such device',
        '',
      ].join('\n'),
    );
    assert.is(bytes[4096 + 511], 0);
    assert.is(bytes[4096 + 512], 1);
    assert.is(bytes[4096 + 65535], 127);
    assert.is(bytes[4096 + 65536], 0);
  });

  library(`frames go out and come in: ${name}`, async ({ directory }) => {
    const image = await build('devices', kind, directory);
    const [link, other] = cable();
    const mac = Uint8Array.from([0, 0x16, 0x3e, 1, 2, 255]);
    const heard: string[] = [];
    other.listen(({ bytes }) => {
      heard.push(new TextDecoder().decode(bytes.subarray(0, 64)));
      const answer = new Uint8Array(60);
      answer.set(mac);
      answer.set(new TextEncoder().encode('hello'), 14);
      other.send({ bytes: answer });
    });

    const networks = [{ handle: 0, mac, link }];
    const text = await ended(await boot(image, { name: 'net', arguments: ['net'], networks }));

    assert.is(text, 'mac 0 22 62 1 2 255\nnothing: true\n60 bytes: hello\n');
    assert.equal(heard, ['a frame that goes out, of 64 bytes and more, as Ethernet has it.']);
  });

  library(`pixels are seen, keys and the pointer come: ${name}`, async ({ directory }) => {
    const image = await build('devices', kind, directory);
    const domain = await boot(image, { name: 'screen', arguments: ['screen'], display: true });
    await domain.console.expect('drawn\n');
    assert.ok(domain.display !== undefined);
    const { screen, input } = domain.display;
    const pixels = screen.pixels({ x: 62, y: 31, width: 2, height: 1 });
    input.point(10, 20, { width: 64, height: 32 });
    input.key(30, true);
    input.key(1, true);

    const text = await ended(domain);

    assert.equal([...pixels.subarray(0, 3)], [0x10, 0x20, 0x30]);
    assert.equal([...pixels.subarray(4, 7)], [0xfe, 0xdc, 0xba]);
    assert.match(text, /^drawn\nposition \d+ \d+ 0\nkey 30 true\nkey 1 true\ndisconnected\n$/);
  });
}

library.run();
