import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Outcome, runTestFile } from './test-file.ts';

const testFile = suite('support/test-file');

async function run(body: string, limitSeconds = 20): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-test-'));
  const file = join(directory, 'some.test.mjs');
  const uvu = JSON.stringify(import.meta.resolve('uvu'));
  writeFileSync(file, `import { suite } from ${uvu};\nconst some = suite('some');\n${body}\n`);
  try {
    return await runTestFile(file, { limitSeconds });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const counts = ({ passed, failed, skipped }: Outcome) => ({ passed, failed, skipped });

testFile('tests that pass, fail and are skipped are counted', async () => {
  const outcome = await run(`
    some('one', () => {});
    some('two', () => {});
    some('three', () => { throw new Error('no'); });
    some.skip('four', () => {});
    some.run();`);

  assert.equal(counts(outcome), { passed: 2, failed: 1, skipped: 1 });
  assert.is(outcome.trouble, undefined);
  assert.match(outcome.output, /three/);
});

testFile('a file that forgets .run() fails', async () => {
  const outcome = await run(`some('one', () => {});`);

  assert.equal(counts(outcome), { passed: 0, failed: 1, skipped: 0 });
  assert.match(String(outcome.trouble), 'does it end with .run()?');
});

testFile('a file that does not load fails with its error', async () => {
  const outcome = await run(`throw new Error('broken at once');`);

  assert.equal(counts(outcome), { passed: 0, failed: 1, skipped: 0 });
  assert.match(outcome.output, 'broken at once');
});

testFile('an exit in the middle of the tests is a failure', async () => {
  const outcome = await run(`some('one', () => { process.exit(0); });\nsome.run();`);

  assert.is(outcome.failed, 1);
  assert.match(String(outcome.trouble), 'before any test');
});

testFile('a failure after the tests is a failure', async () => {
  const outcome = await run(
    `some('one', () => { setTimeout(() => { throw new Error('late'); }, 300); });\nsome.run();`,
  );

  assert.equal(counts(outcome), { passed: 1, failed: 1, skipped: 0 });
  assert.match(String(outcome.trouble), 'exit status 1 though its tests passed');
});

testFile('a file that never ends is killed, and says so', async () => {
  const outcome = await run(`some('one', () => { for (;;); });\nsome.run();`, 1);

  assert.is(outcome.failed, 1);
  assert.match(String(outcome.trouble), 'still running after 1 s');
});

testFile('a process that a test leaves behind does not hold the run up', async () => {
  const outcome = await run(`
    import { spawn } from 'node:child_process';
    some('one', () => { spawn('sleep', ['60'], { stdio: 'inherit' }).unref(); });
    some.run();`);

  assert.equal(counts(outcome), { passed: 1, failed: 0, skipped: 0 });
  assert.ok(outcome.seconds < 15);
});

testFile.run();
