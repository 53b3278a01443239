// Runs the server and reads it with curl through a forwarded port.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const stubdom = fileURLToPath(new URL('../../dist/toolchain/cli/main.js', import.meta.url));
const image = process.argv[2] ?? 'http.elf';
const run = promisify(execFile);

const finder = createServer().listen(0, '127.0.0.1');
await once(finder, 'listening');
const { port } = finder.address();
finder.close();
await once(finder, 'close');

const words = ['run', '--net', `user,forward=${port}:80`, image];
const guest = spawn(process.execPath, [stubdom, ...words], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
let said = '';
guest.stdout.on('data', (bytes) => {
  said += bytes;
});
const ended = once(guest, 'exit');
while (!said.includes('listening')) await Promise.race([once(guest.stdout, 'data'), ended]);
for (const path of ['/', '/stop']) {
  const { stdout } = await run('curl', ['-sS', `http://127.0.0.1:${port}${path}`]);
  process.stdout.write(`curl: ${stdout}`);
}
const [status] = await ended;
process.stdout.write(said.replaceAll('\r\n', '\n'));
process.exitCode = status;
