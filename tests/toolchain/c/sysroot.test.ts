import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { includeFlags, machineFlags } from '../../../toolchain/c/flags.ts';
import { cachedSysroot, sysroot } from '../../../toolchain/index.ts';
import { runProcess } from '../../../toolchain/process.ts';
import { measureThread, threadFile } from '../../golden/record/minios-thread.ts';

const sysroots = suite('toolchain/c/sysroot');

const ours = fileURLToPath(new URL('../../../../toolchain/sysroot', import.meta.url));

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

  sysroots(
    `on ${width} bits our C gives neither compiler nor assembler cause to complain`,
    async () => {
      const { compiler, directory } = await sysroot(width);
      const includes = [...includeFlags(compiler, directory), '-I', join(ours, 'src')];
      const flags = [...machineFlags(width), ...includes];
      const sources = ['src', 'math', 'lwip'].flatMap((name) =>
        readdirSync(join(ours, name), { withFileTypes: true })
          .filter((entry) => entry.name.endsWith('.c'))
          .map((entry) => join(entry.parentPath, entry.name)),
      );

      for (const source of sources) {
        const words = [...flags, '-O2', '-Wall', '-Wextra', '-c', source, '-o', '/dev/null'];
        const { stderr } = await runProcess(compiler.command, words);

        assert.is(stderr, '');
      }
      assert.ok(sources.length > 10);
    },
  );

  sysroots(`on ${width} bits struct thread lies as the kernel takes it to lie`, async () => {
    const recorded = JSON.parse(readFileSync(threadFile, 'utf8')) as Record<string, unknown>;

    assert.equal(await measureThread(width), recorded[width]);
  });
}

sysroots.run();
