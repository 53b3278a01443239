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

  sysroots(`on ${width} bits no symbol of the libraries is defined twice`, async () => {
    const { directory } = await sysroot(width);

    const { stdout } = await runProcess('nm', ['-A', join(directory, 'lib/libc.a')]);

    const names = [...stdout.matchAll(/ [TDBR] (\w+)$/gm)].map(([, name]) => name ?? '');
    const seen = new Set<string>();
    const twice = names.filter((name) => seen.has(name) || !seen.add(name));
    assert.ok(names.includes('printf') && names.includes('__getreent'));
    assert.equal(
      twice.filter((name) => name !== '_dummy_link_syscalls'),
      [],
    );
  });

  sysroots(`on ${width} bits struct thread lies as the kernel takes it to lie`, async () => {
    const recorded = JSON.parse(readFileSync(threadFile, 'utf8')) as Record<string, unknown>;

    assert.equal(await measureThread(width), recorded[width]);
  });
}

sysroots.run();
