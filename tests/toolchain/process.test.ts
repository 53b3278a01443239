import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runProcess } from '../../toolchain/process.ts';

const processes = suite('toolchain/process');

processes('a child’s status and both outputs come back', async () => {
  const result = await runProcess('sh', ['-c', 'cat; echo no >&2; exit 3'], { input: 'yes' });

  assert.equal(result, { status: 3, stdout: 'yes', stderr: 'no\n' });
});

processes('a command that is not there is status 127', async () => {
  const { status, stderr } = await runProcess('/no/such/command', []);

  assert.is(status, 127);
  assert.is(stderr, '/no/such/command: not found');
});

processes('lines are heard one by one', async () => {
  const heard: string[] = [];

  await runProcess('printf', ['a\\nb\\nc'], { onLine: (line) => heard.push(line) });

  assert.equal(heard, ['a', 'b', 'c']);
});

processes('an abort ends grandchildren, too', async () => {
  const stop = new AbortController();
  let grandchild = 0;
  const child = runProcess('sh', ['-c', 'sleep 60 & echo $!; wait'], {
    signal: stop.signal,
    onLine: (line) => {
      grandchild = Number(line);
      stop.abort();
    },
  });

  const error = await child.then(
    () => undefined,
    (reason: Error) => reason.name,
  );

  assert.is(error, 'AbortError');
  for (let tries = 0; isRunning(grandchild) && tries < 50; tries++) await sleep(20);
  assert.not(isRunning(grandchild));
});

/** A zombie that nobody has reaped yet does not run. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

processes.run();
