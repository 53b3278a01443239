import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findCompiler } from '../../../toolchain/c/compiler.ts';

const compilers = suite('toolchain/c/compiler');

for (const width of [64, 32] as const)
  compilers(
    `gcc of this machine has a libgcc for ${width} bits and headers of its own`,
    async () => {
      const compiler = await findCompiler(width);

      assert.match(compiler.version, /gcc.*; GNU ld/);
      assert.match(compiler.includeDirectory, /^\/.*include$/);
      assert.match(compiler.libgcc, width === 32 ? /\/32\/libgcc\.a$/ : /\/\d+\/libgcc\.a$/);
    },
  );

compilers('gcc without its -m32 half is named with the package that has it', async () => {
  const error = await withGcc('#!/bin/sh\ncase "$*" in *-m32*) exit 1;; esac\necho gcc\n', 32);

  assert.is(error, 'gcc cannot compile for x86-32 (-m32); try: apt-get install gcc-multilib');
});

compilers('no gcc at all is named, too', async () => {
  const error = await withGcc('#!/bin/sh\nexit 127\n', 64);

  assert.is(error, 'there is no gcc; try: apt-get install gcc');
});

/** The message when the first gcc of PATH is this script. */
async function withGcc(script: string, width: 64 | 32): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-test-'));
  writeFileSync(join(directory, 'gcc'), script);
  chmodSync(join(directory, 'gcc'), 0o755);
  const path = process.env['PATH'];
  process.env['PATH'] = `${directory}:${path}`;
  try {
    return await findCompiler(width).then(
      () => 'found',
      (error: Error) => error.message,
    );
  } finally {
    process.env['PATH'] = path;
    rmSync(directory, { recursive: true });
  }
}

compilers.run();
