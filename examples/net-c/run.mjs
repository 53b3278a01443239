// Runs the image as a server that curl reads through a forwarded port, and as the client of a server of the host's.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createSocket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const stubdom = fileURLToPath(new URL('../../dist/toolchain/cli/main.js', import.meta.url));
const image = process.argv[2] ?? 'net.elf';
const run = promisify(execFile);

async function freePort() {
  const server = createSocket().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const port = await freePort();
const words = ['run', '--net', `user,forward=${port}:80`, image, '--', 'serve', '80'];
const guest = spawn(process.execPath, [stubdom, ...words], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
let said = '';
guest.stdout.on('data', (bytes) => {
  said += bytes;
});
const ended = once(guest, 'exit');
while (!said.includes('serving')) await Promise.race([once(guest.stdout, 'data'), ended]);
for (const path of ['/', '/again', '/stop']) {
  const { stdout } = await run('curl', ['-sS', `http://127.0.0.1:${port}${path}`]);
  process.stdout.write(`curl: ${stdout}`);
}
const [status] = await ended;
process.stdout.write(said);
process.exitCode = status;

const server = createServer(({ url }, response) => response.end(`The host's page at ${url}\n`));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const place = ['get', '10.0.2.2', String(server.address().port), '/from-a-guest'];
const { stdout } = await run(process.execPath, [
  stubdom,
  'run',
  '--net',
  'user',
  image,
  '--',
  ...place,
]);
process.stdout.write(`${stdout.split('\r\n').at(-1)}`);
server.close();
