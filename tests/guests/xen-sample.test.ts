/** stubdom/c/main.c of the Xen tree, unchanged, in as long a time as it sleeps by the domain's own clock. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boot } from '../../runtime/index.ts';
import { fetchDebianSource } from '../../toolchain/index.ts';
import { Workbench } from '../support/program.ts';

const sample = suite<{ bench: Workbench; file: string }>('guests/xen-sample');

sample.before(async (context) => {
  context.bench = new Workbench();
  context.file = join(await fetchDebianSource('xen'), 'stubdom/c/main.c');
});
sample.after(({ bench }) => bench.remove());

for (const width of [64, 32] as const)
  sample(`x86-${width}: it says hello after two seconds, and ends well`, async (context) => {
    const { bench, file } = context;
    const image = await bench.image({ files: [file], options: ['-O2', '-Wall'] }, width);
    const begun = process.hrtime.bigint();

    const { console, exited } = await boot(new Uint8Array(readFileSync(image)));
    const { status } = await exited;

    assert.is(console.text, 'Hello, world!\n');
    assert.is(status, 0);
    assert.ok(process.hrtime.bigint() - begun >= 2_000_000_000n);
  });

sample.run();
