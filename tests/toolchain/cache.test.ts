import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../runtime/errors.ts';
import { alone, cacheDirectory, makeOnce } from '../../toolchain/cache.ts';
import { runProcess } from '../../toolchain/process.ts';

const cache = suite<{ root: string }>('toolchain/cache');

cache.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'stubdom-test-'));
});
cache.after.each(({ root }) => rmSync(root, { recursive: true, force: true }));

cache('STUBDOM_CACHE wins over XDG_CACHE_HOME, which wins over the home directory', () => {
  assert.is(cacheDirectory({ STUBDOM_CACHE: '/a', XDG_CACHE_HOME: '/b' }), '/a');
  assert.is(cacheDirectory({ XDG_CACHE_HOME: '/b' }), '/b/stubdom');
  assert.match(cacheDirectory({}), /\/\.cache\/stubdom$/);
});

cache(
  'a directory appears with all that was put into it, and nothing stays beside it',
  async ({ root }) => {
    const directory = join(root, 'deep/made');

    await makeOnce(directory, async (temporary) => writeFileSync(join(temporary, 'file'), 'x'));

    assert.equal(readdirSync(directory), ['file']);
    assert.equal(readdirSync(join(root, 'deep')), ['made']);
  },
);

cache('a job that fails leaves nothing', async ({ root }) => {
  const job = makeOnce(join(root, 'made'), async (temporary) => {
    writeFileSync(join(temporary, 'half'), 'x');
    throw new UserError('no more paper');
  });

  const error = await job.then(() => undefined, String);

  assert.match(error ?? '', 'no more paper');
  assert.equal(readdirSync(root), []);
});

cache('of several at once one does the work and the others wait for it', async ({ root }) => {
  let filled = 0;
  const waited: number[] = [];
  const one = () =>
    makeOnce(
      join(root, 'made'),
      async () => {
        filled++;
        await sleep(50);
      },
      { onWait: (pid) => waited.push(pid) },
    );

  const built = await Promise.all([one(), one(), one()]);

  assert.is(filled, 1);
  assert.equal(built, [true, false, false]);
  assert.equal(waited, [process.pid, process.pid]);
});

cache('who works alone is not disturbed, whatever becomes of the work', async ({ root }) => {
  const lock = join(root, 'deep/lock');
  let working = 0;
  const seen: number[] = [];
  const one = (fails: boolean) =>
    alone(lock, async () => {
      seen.push(++working);
      await sleep(20);
      working--;
      if (fails) throw new UserError('no more paper');
      return 'done';
    }).catch(String);

  const results = await Promise.all([one(true), one(false), one(false)]);

  assert.equal(seen, [1, 1, 1]);
  assert.equal(results.filter((result) => result === 'done').length, 2);
  assert.match(results.join(), 'no more paper');
  assert.equal(readdirSync(join(root, 'deep')), []);
});

cache('the lock and the temporary of a process that is gone are cleared away', async ({ root }) => {
  const { stdout } = await runProcess('sh', ['-c', 'echo $$']);
  const gone = stdout.trim();
  writeFileSync(join(root, 'made.lock'), `${gone}\n`);
  mkdirSync(join(root, `made.tmp-${gone}`));

  await makeOnce(join(root, 'made'), async () => {});

  assert.equal(readdirSync(root), ['made']);
});

cache('a waiting process can be told to stop', async ({ root }) => {
  writeFileSync(join(root, 'made.lock'), `${process.ppid}\n`);
  const stop = new AbortController();
  const job = makeOnce(join(root, 'made'), async () => {}, { signal: stop.signal });
  setTimeout(() => stop.abort(), 20);

  const error = await job.then(
    () => undefined,
    (reason: Error) => reason.name,
  );

  assert.is(error, 'AbortError');
  assert.not(existsSync(join(root, 'made')));
});

cache('a cache that cannot be written is named, with the way out', async ({ root }) => {
  writeFileSync(join(root, 'file'), '');

  const error = await makeOnce(join(root, 'file/made'), async () => {}).then(
    () => undefined,
    (reason: unknown) => reason,
  );

  assert.instance(error, UserError);
  assert.match(String(error), /cannot write .*file\/made: E\w+; STUBDOM_CACHE=DIRECTORY/);
});

cache.run();
