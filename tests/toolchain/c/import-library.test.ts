import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { api } from '../../../runtime/minios/api.ts';
import { includeFlags, machineFlags } from '../../../toolchain/c/flags.ts';
import { apiHeader, importLibrary } from '../../../toolchain/c/import-library.ts';
import { sysroot } from '../../../toolchain/index.ts';
import { runProcess } from '../../../toolchain/process.ts';

const library = suite('toolchain/c/import-library');

const table = {
  minios_exit: { prototype: 'void minios_exit(int status)' },
  minios_current: { data: 'extern struct thread *minios_current', size: { 64: 8, 32: 4 } },
};

library('a function is a symbol of type function, data one of its size', () => {
  const source = importLibrary(table, 32);

  assert.match(source, '.type minios_exit,@function\nminios_exit: ud2\n');
  assert.match(source, '.type minios_current,@object\nminios_current: .zero 4\n');
});

library('the header declares each row as the table does', () => {
  const header = apiHeader(table);

  assert.match(header, '\nvoid minios_exit(int status);\nextern struct thread *minios_current;\n');
});

for (const width of [64, 32] as const)
  library(`on ${width} bits libminios.so exports exactly the table, sizes included`, async () => {
    const { directory } = await sysroot(width);

    const { stdout } = await runProcess('readelf', [
      '-W',
      '--dyn-syms',
      `${directory}/lib/libminios.so`,
    ]);

    const exported = new Map(
      [...stdout.matchAll(/(\d+) (FUNC|OBJECT) +GLOBAL DEFAULT +\d+ (\w+)/g)].map(
        ([, size, type, name]) => [name, `${type} ${type === 'OBJECT' ? size : ''}`],
      ),
    );
    const expected = new Map(
      Object.entries(api).map(([name, row]) => [
        name,
        'size' in row ? `OBJECT ${row.size[width]}` : 'FUNC ',
      ]),
    );
    assert.equal(exported, expected);
  });

for (const width of [64, 32] as const)
  library(`on ${width} bits the table agrees with the headers of Mini-OS`, async () => {
    const { compiler, directory } = await sysroot(width);
    const headers = ['api', 'sched', 'time', 'posix', 'wait', 'semaphore', 'os', 'lib', 'xmalloc'];
    const source = headers.map((name) => `#include <mini-os/${name}.h>\n`).join('');

    const { status, stderr } = await runProcess(
      compiler.command,
      [
        ...[...machineFlags(width), ...includeFlags(compiler, directory)],
        ...['-Wall', '-Wextra', '-Werror'],
        ...['-include', 'poll.h', '-fsyntax-only', '-x', 'c', '-'],
      ],
      { input: source },
    );

    assert.is(stderr, '');
    assert.is(status, 0);
  });

library.run();
