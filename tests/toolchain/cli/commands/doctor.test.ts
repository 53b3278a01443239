import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runProcess } from '../../../../toolchain/process.ts';

const doctor = suite('toolchain/cli/commands/doctor');

const script = fileURLToPath(new URL('../../../../toolchain/cli/main.js', import.meta.url));

doctor('where all is there it says so, sysroots included, with status 0', async () => {
  const { status, stdout } = await runProcess(process.execPath, [script, 'doctor']);

  assert.is(status, 0, stdout);
  assert.match(stdout, /^ok +gcc -m32 /m);
  assert.match(stdout, /sysroot x86-32 /);
});

doctor('what is missing is marked, and one line gets it', async () => {
  const bin = mkdtempSync(join(tmpdir(), 'stubdom-test-'));
  for (const name of ['ld', 'xz', 'bzip2', 'apt-get', 'flock', 'fallocate'])
    symlinkSync('/bin/true', join(bin, name));
  writeFileSync(join(bin, 'gcc'), '#!/bin/sh\ncase "$*" in *-m32*) exit 1;; esac\necho gcc\n');
  chmodSync(join(bin, 'gcc'), 0o755);

  const { status, stdout } = await runProcess(process.execPath, [script, 'doctor'], {
    env: { ...process.env, PATH: bin },
  });
  rmSync(bin, { recursive: true });

  assert.is(status, 1);
  assert.match(stdout, /^MISSING +gcc -m32 /m);
  assert.match(stdout, /^MISSING +make /m);
  assert.match(stdout, /^ {2}(sudo )?apt-get install -y gcc-multilib make$/m);
});

doctor.run();
