/** The console of a process, over pipes, files and a terminal of `script`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const console = suite('runtime/host/node/terminal-console');

const program = fileURLToPath(new URL('../../../support/console-program.js', import.meta.url));

interface Run {
  readonly child: ChildProcess;
  /** Resolves when the process has printed it. */
  readonly printed: (text: string) => Promise<void>;
  readonly ended: Promise<{ status: number | null; output: string; errors: string }>;
}

function start(command: string, args: readonly string[]): Run {
  const child = spawn(command, args, { stdio: 'pipe' });
  let [output, errors] = ['', ''];
  child.stderr.on('data', (bytes) => {
    errors += String(bytes);
  });
  child.stdout.on('data', (bytes) => {
    output += String(bytes);
  });
  const printed = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (output.includes(text)) resolve();
        else child.stdout.once('data', () => setImmediate(look));
      };
      look();
    });
  const ended = new Promise<{ status: number | null; output: string; errors: string }>((resolve) =>
    child.on('close', (status) => resolve({ status, output, errors })),
  );
  return { child, printed, ended };
}

const node = (mode: string): Run => start(process.execPath, [program, mode]);
const shell = (line: string): Run => start('/bin/sh', ['-c', line]);
const command = (mode: string): string => `${process.execPath} ${program} ${mode}`;

console('over pipes, input comes as it is written, and its end is seen', async () => {
  const { child, printed, ended } = node('echo');
  await printed('ready\n');

  child.stdin?.write('one ');
  await printed('ONE ');
  child.stdin?.end('two');

  assert.equal(await ended, { status: 0, output: 'ready\nONE TWO', errors: '' });
});

console('standard input can be a file, nothing, or a directory', async () => {
  for (const input of ['/dev/null', '/'])
    assert.equal(await shell(`${command('echo')} < ${input}`).ended, {
      ...{ status: 0, output: 'ready\n', errors: '' },
    });
  assert.equal(await shell(`${command('echo')} <&-`).ended, {
    ...{ status: 0, output: 'ready\n', errors: '' },
  });
});

console(
  'all that was written has left before the process ends, at whatever speed it is read',
  async () => {
    const { output, errors } = await shell(`${command('ten')} | (sleep 0.3; wc -c)`).ended;

    assert.equal([output.trim(), errors], ['1000000', '']);
  },
);

console('a reader that goes away is a closed console, and no stack trace', async () => {
  const { output, errors } = await shell(`{ ${command('flood')}; echo status $? >&2; } | head -n 2`)
    .ended;

  assert.equal([output, errors], ['0\n1\n', 'status 7\n']);
});

/** `script` runs a command on a terminal of its own and exits with its status. */
const terminal = (mode: string): Run =>
  start('script', ['--quiet', '--return', '--flush', '--command', command(mode), '/dev/null']);

console('on a terminal keys come one by one, and Ctrl-] leaves', async () => {
  const { child, printed, ended } = terminal('echo');
  await printed('ready on a terminal');

  child.stdin?.write('k');
  await printed('K');
  child.stdin?.write('\x03');
  await printed('\x03');
  child.stdin?.write('z\x1d');

  const { status, output } = await ended;
  assert.is(status, 130);
  assert.not(output.includes('k'), 'a raw terminal does not echo');
});

console('the terminal is given back as it was', async () => {
  const line = `stty -a > /tmp/stubdom-$$-a; ${command('echo')}; stty -a | diff - /tmp/stubdom-$$-a && echo SAME; rm /tmp/stubdom-$$-a`;
  const { child, printed, ended } = start('script', ['-q', '-f', '-c', line, '/dev/null']);
  await printed('ready on a terminal');

  child.stdin?.write('\x1d');

  assert.match((await ended).output, /SAME/);
});

console.run();
