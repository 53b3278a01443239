/** A shell's command line in which `$STUBDOM` is the command, as a person types it: its status and what it prints. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ShellOutcome {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

const main = fileURLToPath(new URL('../../toolchain/cli/main.js', import.meta.url));
const timeout = 60_000;

export function shell(
  line: string,
  directory: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<ShellOutcome> {
  const child = spawn('/bin/sh', ['-c', line], {
    ...{ cwd: directory, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
    env: { ...process.env, STUBDOM: `${process.execPath} ${main}`, ...environment },
  });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (bytes) => {
    output += String(bytes);
  });
  child.stderr.on('data', (bytes) => {
    errors += String(bytes);
  });
  const watchdog = setTimeout(() => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, timeout);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      clearTimeout(watchdog);
      resolve({ status, output, errors });
    });
  });
}
