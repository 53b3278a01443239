/** A folder by 9P2000.L: to a client of ours that asks everything, and to diod's own clients. */
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryFolder } from '../../../../runtime/backends/folder/memory-folder.ts';
import { NinePSession } from '../../../../runtime/backends/p9/session.ts';
import { fetchDebianPackage } from '../../../../toolchain/debian/packages.ts';
import { runProcess } from '../../../../toolchain/process.ts';
import { NinePClient, NinePError } from '../../../support/nine-p-client.ts';
import { freshSeed, random } from '../../../support/random.ts';

const test = suite('runtime/backends/p9/session');

const O = { RDONLY: 0, WRONLY: 1, RDWR: 2, EXCL: 0o200, TRUNC: 0o1000 } as const;
const ERRNO = { ENOENT: 2, EBADF: 9, EEXIST: 17, EINVAL: 22, EROFS: 30, EOPNOTSUPP: 95 } as const;
const [S_IFDIR, S_IFREG] = [0o040000, 0o100000];
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (from: string): Uint8Array => new TextEncoder().encode(from);

async function mounted(isReadOnly = false, folder = new MemoryFolder(() => 5_000_000_000n)) {
  const session = new NinePSession({ folder, isReadOnly, longest: 65_536, now: () => 7n });
  const client = new NinePClient((message) => session.answer(message));
  await client.mount();
  return { client, folder, session };
}

async function refused(attempt: Promise<unknown>, errno: number): Promise<void> {
  try {
    await attempt;
  } catch (error) {
    assert.ok(error instanceof NinePError, String(error));
    assert.is(error.errno, errno);
    return;
  }
  assert.unreachable(`not refused with ${errno}`);
}

test('both agree on the shorter message, and on nothing but 9P2000.L', async () => {
  const { client } = await mounted();
  assert.is(await client.mount(1 << 20).catch(() => 0), 65_536);
  const answer = await client.ask(100, (r) => r.u32(8192).text('9P2000.u'));
  assert.equal([answer.u32(), answer.text()], [8192, 'unknown']);
  await refused(
    client.ask(100, (r) => r.u32(100).text('9P2000.L')),
    ERRNO.EINVAL,
  );
});

test('a file is made, written, read, found again, renamed and removed', async () => {
  const { client } = await mounted();
  await client.walk(1, '');
  await client.create(1, 'a', O.RDWR, 0o640);
  assert.is(await client.write(1, 0, bytes('hello, 9P')), 9);
  assert.is(text(await client.read(1, 7, 100)), '9P');
  assert.equal(await client.attributes(1), [S_IFREG | 0o640, 9n]);

  await client.ask(72, (r) => r.u32(0).text('d').u32(0o755).u32(0));
  await client.walk(2, 'a');
  await client.walk(3, 'd');
  assert.equal(
    await client.attributes(3),
    [S_IFDIR | 0o755, 0n].slice(0, 1).concat(await sizeOf(client, 3)),
  );
  await client.ask(74, (r) => r.u32(0).text('a').u32(3).text('b'));
  assert.equal((await client.attributes(2))[1], 9n, 'the fid goes along');
  await refused(client.walk(4, 'a'), ERRNO.ENOENT);
  assert.is(await client.walk(4, 'd/b'), 2);
  await client.open(4, O.WRONLY | O.TRUNC);
  assert.equal((await client.attributes(2))[1], 0n);

  await client.ask(76, (r) => r.u32(3).text('b').u32(0));
  assert.is(text(await client.read(1, 0, 10)), '', 'an open file outlives its name');
  await client.clunk(1);
  await refused(client.read(1, 0, 1), ERRNO.EBADF);
});

const sizeOf = async (client: NinePClient, fid: number): Promise<bigint[]> => [
  (await client.attributes(fid))[1],
];

test('a large folder is listed in as many answers as it takes, each name once', async () => {
  const { client, folder } = await mounted();
  const names = Array.from({ length: 300 }, (_, n) => `file-${n}`);
  for (const name of names) folder.open([name], { writing: true, create: 0o644 }).close();
  await client.walk(1, '');
  await client.open(1);

  const listed = await client.list(1, 500);

  assert.equal(listed.sort(), ['.', '..', ...names].sort());
});

test('links, attributes, statistics and locks', async () => {
  const { client, folder } = await mounted();
  folder.open(['a'], { writing: true, create: 0o644 }).close();
  await client.ask(16, (r) => r.u32(0).text('l').text('a/b').u32(0));
  await client.walk(1, 'l');
  assert.is((await client.ask(22, (r) => r.u32(1))).text(), 'a/b');
  await client.walk(2, 'a');
  await client.ask(70, (r) => r.u32(0).u32(2).text('hard'));
  assert.is(folder.status(['hard']).nlink, 2);

  const valid = 1 | 8 | 16 | 32 | 256;
  await client.ask(26, (r) =>
    r.u32(2).u32(valid).u32(0o600).u32(0).u32(0).u64(100n).u64(1n).u64(2n).u64(3n).u64(4n),
  );
  const { mode, size, atime, mtime } = folder.status(['a']);
  assert.equal([mode & 0o777, size, atime, mtime], [0o600, 100n, 7n, 3_000_000_004n]);
  assert.is((await client.ask(8, (r) => r.u32(0))).u32(), 0x0102_1997);
  assert.is(
    (await client.ask(52, (r) => r.u32(2).u8(1).u32(0).u64(0n).u64(0n).u32(1).text('x'))).u8(),
    0,
  );
});

test('no name leads out, and nothing that is only read is changed', async () => {
  const { client, folder } = await mounted();
  folder.makeDirectory(['d'], 0o755);
  assert.is(await client.walk(1, 'd/../../..'), 4, 'the root’s parent is the root');
  for (const name of ['..', '.', '', 'a/b', 'a\0'])
    await refused(
      client.ask(72, (r) => r.u32(0).text(name).u32(0o755).u32(0)),
      ERRNO.EINVAL,
    );
  const readOnly = await mounted(true, folder);
  await refused(readOnly.client.create(0, 'x', O.RDWR, 0o644), ERRNO.EROFS);
  await refused(
    readOnly.client.ask(76, (r) => r.u32(0).text('d').u32(0x200)),
    ERRNO.EROFS,
  );
  await refused(
    readOnly.client.ask(30, (r) => r.u32(0).u32(9).text('user.x')),
    ERRNO.EOPNOTSUPP,
  );
  assert.ok(folder.status(['d']));
});

test('whatever is sent, it is answered', async () => {
  const seed = freshSeed();
  const numbers = random(seed);
  const { session } = await mounted();
  for (let n = 0; n < 20_000; n++) {
    const message = numbers.bytes(7 + numbers.below(60));
    // Small numbers are fids and lengths that mean something.
    for (let at = 7; at < message.length; at++)
      if (numbers.below(3) > 0) message[at] = numbers.below(4);
    const view = new DataView(message.buffer);
    view.setUint32(0, message.length, true);
    const types = [
      8, 12, 14, 16, 20, 22, 24, 26, 40, 50, 70, 72, 74, 76, 104, 110, 116, 118, 120, 122,
    ];
    message[4] = types[numbers.below(types.length)] ?? numbers.below(256);
    const answer = await session.answer(message);
    assert.is(new DataView(answer.buffer).getUint32(0, true), answer.length, `seed ${seed}`);
    assert.ok(answer.length <= 65_536, `seed ${seed}`);
  }
});

test('diod’s clients list it and read it', async () => {
  const folder = new MemoryFolder(() => 5_000_000_000n);
  const content = random(3)
    .bytes(300_000)
    .map((byte) => 32 + (byte & 63));
  const file = folder.open(['big'], { writing: true, create: 0o644 });
  file.write(0, content);
  file.close();
  folder.makeDirectory(['inner'], 0o755);
  const server = net.createServer((socket) => serve(socket, folder)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const root = await fetchDebianPackage('diod');
  const libraries = await Promise.all(
    [
      'libmunge2',
      'liblua5.1-0',
      'libncurses6',
      'libtinfo6',
      'libwrap0',
      'libnsl2',
      'libtirpc3',
      'libcap2',
    ].map((name) => fetchDebianPackage(name)),
  );
  const paths = libraries.flatMap((one) =>
    ['usr/lib', 'lib'].map((at) => join(one, at, 'x86_64-linux-gnu')),
  );
  const env = { ...process.env, LD_LIBRARY_PATH: paths.join(':') };
  const run = async (program: string, words: string[]): Promise<string> => {
    const all = ['-s', `127.0.0.1:${port}`, '-a', '/', ...words];
    const { status, stdout, stderr } = await runProcess(join(root, 'usr/sbin', program), all, {
      env,
    });
    assert.is(status, 0, `${program}: ${stderr}`);
    return stdout;
  };

  assert.match(await run('diodls', ['/']), /big/);
  assert.is(await run('diodcat', ['big']), text(content));
  server.close();
});

/** Messages as they come in a stream. */
function serve(socket: net.Socket, folder: MemoryFolder): void {
  const session = new NinePSession({ folder, isReadOnly: false, longest: 65_536, now: () => 7n });
  let rest = Buffer.alloc(0);
  socket.on('data', async (part: Buffer) => {
    rest = Buffer.concat([rest, part]);
    while (rest.length >= 4 && rest.length >= rest.readUInt32LE(0)) {
      const length = rest.readUInt32LE(0);
      const message = Uint8Array.from(rest.subarray(0, length));
      rest = rest.subarray(length);
      socket.write(await session.answer(message));
    }
  });
  socket.on('error', () => {});
}

test.run();
