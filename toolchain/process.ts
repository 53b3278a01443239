/** Child processes: run to the end in a process group of their own, so that an abort takes grandchildren with it. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  /** The child writes to this process's own stdout and stderr; nothing is collected. */
  readonly inherit?: boolean;
  /** Hears each line of the child's standard output, which is then not collected. */
  readonly onLine?: (line: string) => void;
  readonly input?: string;
}

export interface Finished {
  /** 127 where there is no such command; 128 + N where signal N ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function runProcess(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const { cwd, env, signal, inherit, onLine, input } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const output = inherit ? 'inherit' : 'pipe';
    const child = spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
      detached: true,
      stdio: [input === undefined ? 'ignore' : 'pipe', output, output],
    });
    const collected = { stdout: '', stderr: '' };
    if (onLine !== undefined && child.stdout) createInterface(child.stdout).on('line', onLine);
    else child.stdout?.setEncoding('utf8').on('data', (text) => (collected.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text) => (collected.stderr += text));
    child.stdin?.on('error', () => {}).end(input); // a child may end before it has read all

    const stop = () => killGroup(child.pid);
    signal?.addEventListener('abort', stop, { once: true });
    child.once('error', (error: NodeJS.ErrnoException) => {
      signal?.removeEventListener('abort', stop);
      if (error.code !== 'ENOENT') reject(error);
      else resolve({ status: 127, stdout: '', stderr: `${command}: not found` });
    });
    child.once('close', (code) => {
      signal?.removeEventListener('abort', stop);
      if (signal?.aborted) reject(signal.reason);
      else resolve({ status: code ?? 128, ...collected });
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
