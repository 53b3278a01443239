/**
 * mbedtls's own client, as Debian has it and unchanged, speaks TLS 1.2 with a server of Node's on the host's loopback: through lwip, netfront
 * and user-mode networking, with its certificates in a folder of the host's.
 */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fetchDebianSource } from '../../toolchain/index.ts';
import { runProcess } from '../../toolchain/process.ts';
import { isFull, type Program, testFile, Workbench } from '../support/program.ts';

const tls = suite<{ bench: Workbench; tree: string }>('guests/tls');

tls.before(async (context) => {
  context.bench = new Workbench();
  context.tree = await fetchDebianSource('mbedtls');
});
tls.after(({ bench }) => bench.remove());

const main = fileURLToPath(new URL('../../toolchain/cli/main.js', import.meta.url));

function program(tree: string): Program {
  const library = readdirSync(join(tree, 'library')).filter((name) => name.endsWith('.c'));
  const files = [
    ...library.map((name) => `library/${name}`),
    ...['programs/ssl/ssl_client2.c', 'programs/ssl/ssl_test_lib.c'],
    ...['programs/test/query_config.c', 'tests/src/helpers.c'],
  ];
  const folders = ['include', 'library', 'tests/include'].map((name) => join(tree, name));
  return {
    files: files.map((name) => join(tree, name)),
    options: [
      // It takes nothing else for a system with sockets and /dev/urandom.
      ...['-O1', '-D__unix__', '-DMBEDTLS_USER_CONFIG_FILE=<config.h>'],
      ...[...folders, testFile('guests/tls')].flatMap((folder) => ['-I', folder]),
    ],
  };
}

async function client(
  image: string,
  certificates: string,
  words: readonly string[],
): Promise<{ status: number; output: string }> {
  const { status, stdout, stderr } = await runProcess(process.execPath, [
    ...[main, 'run', '--net', 'user', '--fs', `/certificates=${certificates}:ro`, image, '--'],
    ...['server_addr=10.0.2.2', 'ca_file=/certificates/test-ca-sha256.crt', ...words],
  ]);
  return { status, output: stdout + stderr };
}

for (const width of isFull ? ([64, 32] as const) : ([64] as const))
  tls(
    `x86-${width}: the client reads a page, and refuses a server of another name`,
    async ({ bench, tree }) => {
      const certificates = join(tree, 'tests/data_files');
      const image = await bench.image(program(tree), width);
      const server = createServer(
        {
          cert: readFileSync(join(certificates, 'server2-sha256.crt')),
          key: readFileSync(join(certificates, 'server2.key')),
          maxVersion: 'TLSv1.2',
        },
        ({ url }, response) => response.end(`the page at ${url}\n`),
      );
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      const port = `server_port=${typeof address === 'object' ? address?.port : ''}`;
      try {
        const page = ['server_name=localhost', 'request_page=/secret'];
        const right = await client(image, certificates, [port, ...page]);
        const wrong = await client(image, certificates, [port, 'server_name=elsewhere']);

        assert.match(right.output, 'Protocol is TLSv1.2');
        assert.match(right.output, 'the page at /secret');
        assert.is(right.status, 0, right.output);
        assert.match(wrong.output, 'mbedtls_ssl_handshake returned -0x2700');
        assert.not.match(wrong.output, 'the page at');
        assert.is.not(wrong.status, 0);
      } finally {
        server.closeAllConnections();
        server.close();
      }
    },
  );

tls.run();
