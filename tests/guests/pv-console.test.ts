/** A PV guest with a channel, by the command: a program of the host's talks with it by a socket. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runProcess } from '../../toolchain/process.ts';
import { buildPvGuest } from '../support/pv-guest.ts';

const test = suite('guests/pv-console');

const main = fileURLToPath(new URL('../../toolchain/cli/main.js', import.meta.url));

for (const bits of [64, 32] as const)
  test(`${bits}: what is said by the channel of a cfg file is said back`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stubdom-channel-'));
    const [image, path] = ['console.elf', 'channel'].map((name) => join(directory, name));
    const others = ['../pv-block/blkfront.c', '../pv-block/store.c'];
    writeFileSync(image ?? '', await buildPvGuest('../pv-console', bits, others));
    writeFileSync(
      join(directory, 'guest.cfg'),
      `name="talks"\nkernel="${image}"\nchannel=["connection=socket,path=${path},name=org.example"]\n`,
    );
    const lines: string[] = [];
    let connected = (): void => {};
    const isConnected = new Promise<void>((resolve) => {
      connected = resolve;
    });
    const ended = runProcess(process.execPath, [main, 'create', join(directory, 'guest.cfg')], {
      env: { ...process.env, STUBDOM_CACHE: directory },
      onLine: (line) => {
        lines.push(line.trimEnd());
        if (line.startsWith('connected')) connected();
      },
    });
    await Promise.race([isConnected, ended]);

    const socket = connect(path ?? '');
    let heard = '';
    socket.setEncoding('latin1').on('data', (text) => (heard += text));
    socket.write('\nsay it in capitals.');
    await once(socket, 'close');
    const { status, stderr } = await ended;

    assert.is(status, 0, stderr);
    assert.equal(lines, ['console org.example', 'connected', 'closed']);
    assert.is(heard, 'org.exampleSAY IT IN CAPITALS.');
    assert.not.ok(existsSync(path ?? ''));
    rmSync(directory, { recursive: true });
  });

test.run();
