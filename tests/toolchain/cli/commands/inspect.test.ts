import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseImage } from '../../../../runtime/elf/image.ts';
import { UserError } from '../../../../runtime/errors.ts';
import { parseWords, type Terminal } from '../../../../toolchain/cli/command.ts';
import { describe, inspect, render } from '../../../../toolchain/cli/commands/inspect.ts';
import {
  domainFlags,
  domainSource,
  openWorkshop,
  type Workshop,
} from '../../../support/elf-files.ts';

const command = suite<{ workshop: Workshop }>('toolchain/cli/commands/inspect');

command.before((context) => {
  context.workshop = openWorkshop();
});
command.after(({ workshop }) => workshop.remove());

const place = { address: '0x401000', memorySize: 134, fileSize: 134, permissions: 'r-x' };

command('an application is shown with its segments, its imports and what Mini-OS lacks', () => {
  const text = render({
    name: 'hello.elf',
    kind: 'application',
    width: 64,
    entry: { address: '0x40105b', symbol: '_start' },
    code: { bytes: 134, functions: 2 },
    segments: [place, { ...place, address: '0x403e78', memorySize: 4096, permissions: 'rw-' }],
    needed: ['libminios.so'],
    imports: [
      { name: 'minios_exit', kind: 'function', size: 0, weak: false, implemented: true },
      { name: 'minios_current', kind: 'data', size: 8, weak: false, implemented: true },
      { name: 'fork', kind: 'function', size: 0, weak: false, implemented: false },
    ],
    notes: [],
  });

  assert.is(
    text,
    `hello.elf: Mini-OS application, x86-64

entry  0x40105b _start
code   134 bytes, 2 functions known by symbol
needs  libminios.so

segment   memory  file  access
0x401000  134     134   r-x
0x403e78  4096    134   rw-

import  minios_exit     function       implemented
import  minios_current  data, 8 bytes  implemented
import  fork            function       missing

1 of 3 imports are missing: it cannot run
`,
  );
});

command('what a real image says of itself is what gcc made', async ({ workshop }) => {
  const path = workshop.application('hello.elf', 64);
  const header = workshop.tool('readelf', '-h', path);

  const seen = describe(await parseImage(workshop.read(path), 'hello.elf'));

  assert.match(header, new RegExp(`Entry point address: +${seen.entry.address}\n`));
  assert.is(seen.entry.symbol, '_start');
  assert.is(seen.code.functions, 2);
  assert.equal(
    seen.imports.map(({ name, implemented }) => `${name} ${implemented}`),
    ['minios_exit true', 'minios_write true', 'minios_current true'],
  );
});

command(
  'a domain is shown with its notes, and a stranger’s control characters are not',
  async ({ workshop }) => {
    const source = domainSource.noteSection.replace('"Mini-OS"', '"Mini\\033OS"');
    const path = workshop.link('domain.elf', source, 32, domainFlags);

    const text = render(describe(await parseImage(workshop.read(path), 'domain.elf')));

    assert.is(
      text,
      `domain.elf: Xen domain, x86-32

entry  0x0 _start
code   1 bytes, 0 functions known by symbol

segment  memory  file  access
0x0      1       1     rwx

note  GUEST_OS        Mini\\u{1b}OS
note  LOADER          generic
note  HYPERCALL_PAGE  0x2000
note  XEN_VERSION     xen-3.0
note  L1_MFN_VALID    0x1 0x1
`,
    );
  },
);

/** Runs the command as the CLI does, and answers what it printed. */
async function run(...given: readonly string[]): Promise<string> {
  let printed = '';
  const stdout = { write: (text: string) => (printed += text) };
  const { words, options } = parseWords(inspect, given);
  assert.is(await inspect.run({ stdout } as unknown as Terminal, words, options), 0);
  return printed;
}

command('--json prints the same as data', async ({ workshop }) => {
  const path = workshop.application('hello.elf', 64);
  const described = describe(await parseImage(workshop.read(path), 'hello.elf'));

  assert.equal(JSON.parse(await run('--json', path)), described);
  assert.is(await run(path), render(described));
});

command(
  'an image that cannot be inspected ends with status 1, wrong usage with 2',
  async ({ workshop }) => {
    const failure = async (...words: readonly string[]): Promise<string> => {
      const error = await run(...words).catch((thrown: unknown) => thrown);
      return error instanceof UserError ? `${error.status} ${error.message}` : 'no UserError';
    };
    const missing = `${workshop.directory}/missing.elf`;

    assert.is(await failure(missing), `1 ${missing}: cannot be read (ENOENT)`);
    assert.match(await failure('/dev/null'), /^1 null: not an ELF image: the file is empty$/);
    assert.match(await failure(), /^2 no IMAGE given/);
    assert.match(await failure('a', 'b'), /^2 inspect takes one IMAGE; b is too much$/);
  },
);

command.run();
