import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildHello, helloDirectory, helloOrigin } from '../golden/record/hello-c.ts';

const hello = suite('toolchain/hello-c');

for (const width of [64, 32] as const)
  hello(`hello-${width}.elf is what its recorded compiler makes of hello.c`, async () => {
    const recorded: unknown = JSON.parse(
      readFileSync(join(helloDirectory, 'prebuilt.json'), 'utf8'),
    );
    const origin = await helloOrigin();
    const root = mkdtempSync(join(tmpdir(), 'stubdom-test-'));
    const output = join(root, 'hello.elf');

    await buildHello(width, output);
    const bytes = readFileSync(output);
    rmSync(root, { recursive: true });

    const committed = readFileSync(join(helloDirectory, `hello-${width}.elf`));
    if (JSON.stringify(recorded) === JSON.stringify(origin)) assert.equal(bytes, committed);
    else assert.ok(Math.abs(bytes.length - committed.length) < committed.length / 4);
  });

hello.run();
