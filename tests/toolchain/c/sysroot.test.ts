import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cachedSysroot, sysroot } from '../../../toolchain/index.ts';
import { runProcess } from '../../../toolchain/process.ts';
import { measureThread, threadFile } from '../../golden/record/minios-thread.ts';

const sysroots = suite('toolchain/c/sysroot');

for (const width of [64, 32] as const) {
  sysroots(`on ${width} bits a second asking finds what the first has built`, async () => {
    const { directory } = await sysroot(width);

    assert.is(await cachedSysroot(width), directory);
  });

  sysroots(`on ${width} bits newlib defines nothing that our part defines`, async () => {
    const { directory } = await sysroot(width);
    const archives = ['libc.a', 'libm.a'].map((name) => join(directory, 'lib', name));

    const { stdout } = await runProcess('nm', ['-A', ...archives]);

    const symbols = [...stdout.matchAll(/:(\S+\.o):\S* [TDBR] (\w+)$/gm)];
    const isOurs = (member: string | undefined) => member?.startsWith('minios-') ?? false;
    const ours = new Set(symbols.filter(([, member]) => isOurs(member)).map(([, , name]) => name));
    const theirs = symbols.filter(([, member]) => !isOurs(member)).map(([, , name]) => name);
    assert.ok(ours.has('__getreent') && ours.has('floorl') && theirs.includes('printf'));
    assert.equal(
      theirs.filter((name) => ours.has(name)),
      [],
    );
  });

  sysroots(`on ${width} bits struct thread lies as the kernel takes it to lie`, async () => {
    const recorded = JSON.parse(readFileSync(threadFile, 'utf8')) as Record<string, unknown>;

    assert.equal(await measureThread(width), recorded[width]);
  });
}

sysroots.run();
