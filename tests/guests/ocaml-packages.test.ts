/**
 * Debian's OCaml packages in a guest: pure ones as Debian compiled them, C stubs made anew from their sources. The short tier has the pure
 * ones on x86-64; the long one all, native code and bytecode in both widths.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../runtime/domain/clock.ts';
import { nodeSockets } from '../../runtime/host/node/host-sockets.ts';
import { type BootOptions, boot, type DomainWithConsole } from '../../runtime/index.ts';
import { cable } from '../../runtime/network/frame.ts';
import { UserNetwork } from '../../runtime/network/user-network.ts';
import { type Width, widths } from '../../toolchain/index.ts';
import { buildCaml } from '../../toolchain/ocaml/build.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { isFull, testFile } from '../support/program.ts';
import { freshSeed, random } from '../support/random.ts';

interface Kind {
  readonly name: string;
  readonly width: Width;
  readonly isBytecode: boolean;
}

const packages = suite<{ directory: string }>('guests/ocaml-packages');

packages.before((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-packages-'));
});
packages.after(({ directory }) => rmSync(directory, { recursive: true }));

const native: Kind = { name: 'x86-64', width: 64, isBytecode: false };
const kinds: readonly Kind[] = isFull
  ? ([64, 32] as const).flatMap((width) =>
      [false, true].map((isBytecode) => ({
        ...{ width, isBytecode },
        name: `${widths[width].name}${isBytecode ? ' bytecode' : ''}`,
      })),
    )
  : [native];
if (!isFull)
  process.stdout.write(
    'skipped: zarith and lwt, whose C libraries take a minute to build, rewriters of sources, bytecode and x86-32; --full has them\n',
  );

const needs: Readonly<Record<string, readonly string[]>> = {
  documents: ['yojson', 're'],
  numbers: ['zarith'],
  promises: ['lwt.unix'],
  echo: ['lwt.unix'],
  rewritten: ['sexplib', 'ppx_sexp_conv', 'ppx_deriving.show', 'ppx_deriving.eq'],
};

async function build(name: string, kind: Kind, directory: string): Promise<Uint8Array> {
  const output = join(directory, `${name}-${kind.width}-${kind.isBytecode}.elf`);
  const { status, messages } = await buildCaml({
    ...{ width: kind.width, isBytecode: kind.isBytecode, output },
    ...{ packages: needs[name] ?? [], arguments: [testFile(`guests/ocaml-packages/${name}.ml`)] },
  });
  assert.is(status, 0, messages);
  return new Uint8Array(readFileSync(output));
}

/** Polls that none of these programs needs. */
const budget = 2_000_000_000;

async function printed(image: Uint8Array, words: readonly string[] = []): Promise<string> {
  // A clock of its own: on a busy machine several sleepers would be due at once, in any order.
  const options: BootOptions = {
    ...{ name: 'guest', arguments: words, budget, clock: new FakeClock() },
  };
  const { console, exited } = await boot(image, options);
  console.end();
  const { status, report } = await exited;
  assert.is(status, 0, `${console.text}${report ?? ''}`);
  return console.text.replaceAll('\r\n', '\n');
}

const documents = (bits: number): string => `\
{"title":"Grüße","parts":[1,-2.5,1e+300,"tab\\there",null,true,9007199254740993],\
"nested":{"list":[[],[[]]],"text":"é😀"}}
{ "list": [ [], [ [] ] ], "text": "é😀" }
9007199254740993${bits === 64 ? '' : ', as it is written'}
Line 1, bytes 4-5:
Unexpected end of input
April: 12
days: 365
x<>y <> <>
`;

for (const kind of kinds)
  packages(`yojson and re do as natively: ${kind.name}`, async ({ directory }) => {
    const image = await build('documents', kind, directory);

    assert.is(await printed(image), documents(kind.width));
  });

if (isFull) {
  for (const kind of kinds)
    packages(`zarith reckons as BigInt does: ${kind.name}`, async ({ directory }) => {
      const image = await build('numbers', kind, directory);
      const seed = freshSeed();
      const { below } = random(seed);
      const big = (words: number): bigint =>
        Array.from({ length: words }, () => BigInt(below(2 ** 32))).reduce(
          (all, word) => (all << 32n) | word,
          1n,
        );
      for (const [operation, reckon] of Object.entries(operations)) {
        const [a, b, c] = [big(1 + below(40)), -big(1 + below(12)), big(1 + below(12))];
        const [x, y] = operation === 'powm' ? [a, -b] : [a, b];

        const text = await printed(image, [operation, `${x}`, `${y}`, `${c}`]);

        assert.is(
          text,
          answers(reckon(x, y, c), x, y),
          `seed ${seed}, ${operation} ${x} ${y} ${c}`,
        );
      }
    });

  for (const kind of kinds)
    packages(`rewriters of sources write what is derived: ${kind.name}`, async ({ directory }) => {
      const image = await build('rewritten', kind, directory);

      assert.is(await printed(image), rewritten);
    });

  for (const kind of kinds)
    packages(`lwt waits, reads, writes and works beside: ${kind.name}`, async ({ directory }) => {
      const image = await build('promises', kind, directory);

      assert.is(
        await printed(image),
        `first\nsecond\nlast\nby pipe\n10: in a file\n500500\nopen: /nowhere/at/all: No such file or directory\n`,
      );
    });

  for (const kind of kinds)
    packages(`a lwt server holds 100 connections: ${kind.name}`, async ({ directory }) => {
      const image = await build('echo', kind, directory);
      const server = await serve(image, '100');
      try {
        await server.console.expect('listening');
        const clients = await Promise.all(
          Array.from({ length: 100 }, () => connected(server.port)),
        );
        for (const round of [1, 2, 3])
          for (const [n, answer] of (
            await Promise.all(clients.map((client, i) => asked(client, `round ${round} of ${i}`)))
          ).entries())
            assert.is(answer, `round ${round} of ${n}\n`);
        for (const client of clients) client.end();

        const { status, report } = await server.exited;

        assert.is(status, 0, `${server.console.text}${report ?? ''}`);
        assert.match(server.console.text, '100 at once');
      } finally {
        server.close();
      }
    });
}

const rewritten = `\
Rewritten.Named {name = "a b";
  parts = [Rewritten.Point; (Rewritten.Circle 3)]}
(Named(name"a b")(parts(Point(Circle 3))))
true false
`;

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? (a < 0n ? -a : a) : gcd(b, a % b));

function powm(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n % modulus;
  for (let [power, left] = [base % modulus, exponent]; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * power) % modulus;
    power = (power * power) % modulus;
  }
  return result;
}

const operations: Readonly<Record<string, (a: bigint, b: bigint, c: bigint) => bigint>> = {
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  rem: (a, b) => a % b,
  gcd,
  powm,
};

function answers(result: bigint, a: bigint, b: bigint): string {
  const divisor = b < 0n ? -gcd(a, b) : gcd(a, b);
  const [numerator, denominator] = [a / divisor, b / divisor];
  const fraction = denominator === 1n ? `${numerator}` : `${numerator}/${denominator}`;
  return `${result}\n${fraction}\n${result.toString(16)}\nDivision_by_zero\n`;
}

/** With port 7 forwarded from one of the host's loopback. */
async function serve(
  image: Uint8Array,
  most: string,
): Promise<DomainWithConsole & { readonly port: number; close(): void }> {
  const [link, other] = cable();
  const network = new UserNetwork({
    ...{ link: other, clock: systemClock(), sockets: nodeSockets },
    random: () => randomBytes(4).readUInt32LE(),
  });
  const where = { protocol: 'tcp', address: '127.0.0.1', port: 0, guestPort: 7 } as const;
  const forwarded = await network.forward(where);
  if (!('port' in forwarded)) throw new Error('the forward has no port');
  const mac = Uint8Array.from([0, 0x16, 0x3e, 0, 0, 1]);
  const domain = await boot(image, {
    ...{ name: 'echo', arguments: [most], networks: [{ handle: 0, mac, link }] },
    // Lwt closes a hundred sockets in as many threads, whose stacks do not fit into the usual 32 MiB.
    memory: 128 * 2 ** 20,
  });
  return Object.assign(domain, { port: forwarded.port, close: () => network.close() });
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8').setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

async function asked(socket: Socket, line: string): Promise<string> {
  socket.write(`${line}\n`);
  let answer = '';
  while (!answer.endsWith('\n')) answer += String((await once(socket, 'data'))[0]);
  return answer;
}

packages.run();
