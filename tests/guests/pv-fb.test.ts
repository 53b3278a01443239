/** A PV guest that draws, run by the command: what VNC's own clients see, what they press, and the picture that is left. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode } from 'fast-png';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fetchDebianPackage } from '../../toolchain/debian/packages.ts';
import { runProcess } from '../../toolchain/process.ts';
import { buildPvGuest } from '../support/pv-guest.ts';

const test = suite('guests/pv-fb');

const main = fileURLToPath(new URL('../../toolchain/cli/main.js', import.meta.url));
const [width, height] = [320, 200];

/** What a viewer sends: RFC 6143, 7.5.4 and 7.5.5. */
const key = (keysym: number, isDown: boolean): Buffer => {
  const message = Buffer.from([4, Number(isDown), 0, 0, 0, 0, 0, 0]);
  message.writeUInt32BE(keysym, 4);
  return message;
};
const pointer = (mask: number, x: number, y: number): Buffer =>
  Buffer.from([5, mask, x >> 8, x & 255, y >> 8, y & 255]);

/** A viewer as simple as there can be: shakes hands, and then sends. */
async function view(port: number, messages: readonly Buffer[]): Promise<void> {
  const socket = net.connect(port, '127.0.0.1');
  const answers = [Buffer.from('RFB 003.008\n'), Buffer.from([1]), Buffer.from([1])];
  for (const answer of answers) {
    await once(socket, 'data');
    socket.write(answer);
  }
  await once(socket, 'data');
  for (const message of messages) socket.write(message);
  socket.end();
}

async function freeDisplay(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return port - 5900;
}

/** vncsnapshot's JPEG of a display; its libraries come along. */
async function snapshot(display: number, directory: string): Promise<Buffer> {
  const roots = await Promise.all(
    ['vncsnapshot', 'libjpeg62-turbo', 'zlib1g'].map((name) => fetchDebianPackage(name)),
  );
  const libraries = roots.flatMap((root) =>
    ['usr/lib', 'lib'].map((at) => join(root, at, 'x86_64-linux-gnu')),
  );
  const file = join(directory, 'shot.jpg');
  const program = join(roots[0] ?? '', 'usr/bin/vncsnapshot');
  const { status, stderr } = await runProcess(
    program,
    ['-quality', '100', `127.0.0.1:${display}`, file],
    {
      env: { ...process.env, LD_LIBRARY_PATH: libraries.join(':') },
    },
  );
  assert.is(status, 0, stderr);
  return readFileSync(file);
}

for (const bits of [64, 32] as const)
  test(`${bits}: a client draws the screen, keys and pointer reach the guest`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stubdom-fb-'));
    const image = join(directory, 'fb.elf');
    const picture = join(directory, 'fb.png');
    const others = ['../pv-block/blkfront.c', '../pv-block/store.c'];
    writeFileSync(image, await buildPvGuest('../pv-fb', bits, others));
    const display = await freeDisplay();
    const lines: string[] = [];
    let drawn = (): void => {};
    const isDrawn = new Promise<void>((resolve) => {
      drawn = resolve;
    });
    const ended = runProcess(
      process.execPath,
      [main, 'run', '--vnc', `:${display}`, '--screenshot', picture, image],
      {
        env: { ...process.env, STUBDOM_CACHE: directory },
        onLine: (line) => {
          lines.push(line.trimEnd());
          if (line.startsWith('drawn')) drawn();
        },
      },
    );
    await Promise.race([isDrawn, ended]);

    const jpeg = await snapshot(display, directory);
    const messages = [key(0x41, true), key(0x41, false), pointer(0, 100, 50), pointer(1, 100, 50)];
    const rest = [pointer(8, 100, 50), key(0xff1b, true), key(0xff1b, false)];
    await view(5900 + display, [...messages, ...rest]);
    const { status, stderr } = await ended;

    assert.is(status, 0, stderr);
    const at = 'pointer 100 50';
    assert.equal(lines, [
      ...['drawn', 'key 30 down', 'key 30 up', at, at, 'key 272 down', at, 'key 272 up'],
      ...['wheel -1', 'key 1 down', 'key 1 up'],
    ]);
    assert.equal([...jpeg.subarray(0, 2)], [0xff, 0xd8]);
    assert.equal(jpegSize(jpeg), { width, height });
    const png = decode(readFileSync(picture));
    assert.equal([png.width, png.height, png.channels], [width, height, 3]);
    const wrong = [...Array(width * height).keys()].filter((n) => {
      const [x, y] = [n % width, Math.floor(n / width)];
      const isSquare = x >= 100 && x < 116 && y >= 50 && y < 66;
      const [red, green, blue] = isSquare ? [255, 255, 255] : [x & 255, y & 255, 0x40];
      const { data } = png;
      return data[3 * n] !== red || data[3 * n + 1] !== green || data[3 * n + 2] !== blue;
    });
    assert.equal(wrong, []);
    rmSync(directory, { recursive: true });
  });

test('a display that is another’s is refused before anything runs', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-fb-'));
  const image = join(directory, 'fb.elf');
  const others = ['../pv-block/blkfront.c', '../pv-block/store.c'];
  writeFileSync(image, await buildPvGuest('../pv-fb', 64, others));
  const display = await freeDisplay();
  const other = net.createServer().listen(5900 + display, '127.0.0.1');
  await once(other, 'listening');
  const picture = join(directory, 'none.png');
  const words = ['run', '--vnc', `:${display}`, '--screenshot', picture, image];

  const { status, stdout, stderr } = await runProcess(process.execPath, [main, ...words]);
  other.close();

  assert.is(status, 125);
  assert.is(stdout, '');
  assert.match(stderr, `stubdom: 127.0.0.1:${5900 + display}: `);
  assert.not.ok(existsSync(picture));
  rmSync(directory, { recursive: true });
});

/** From a JPEG's first start of frame. */
function jpegSize(file: Buffer): { width: number; height: number } | undefined {
  for (let at = 2; at + 9 < file.length; at += 2 + file.readUInt16BE(at + 2)) {
    const marker = file[at + 1] ?? 0;
    if (marker >= 0xc0 && marker <= 0xc3)
      return { height: file.readUInt16BE(at + 5), width: file.readUInt16BE(at + 7) };
  }
  return undefined;
}

test.run();
