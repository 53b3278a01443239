import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseImage } from '../../../runtime/elf/image.ts';
import { assertRefused } from '../../support/assert-refused.ts';
import { withHeader, withProgramHeader } from '../../support/elf-edit.ts';
import { openWorkshop, type Workshop, withoutSectionHeaders } from '../../support/elf-files.ts';

const image = suite<{ workshop: Workshop }>('runtime/elf/image');

image.before((context) => {
  context.workshop = openWorkshop();
});
image.after(({ workshop }) => workshop.remove());

for (const width of [64, 32] as const)
  image(
    `the segments of an ELF${width} application are those that readelf lists`,
    async ({ workshop }) => {
      const path = workshop.application(`a-${width}`, width);
      const listed = workshop
        .tool('readelf', '-lW', path)
        .split('\n')
        .flatMap((line) => /^ +LOAD +(.*) 0x1000$/.exec(line)?.[1] ?? []);

      const { kind, segments } = await parseImage(workshop.read(path), 'a');

      assert.is(kind, 'application');
      assert.equal(
        segments.map((each) => [
          ...[BigInt(each.fileOffset), each.address, each.address],
          ...[BigInt(each.bytes.length), each.memorySize],
          `${each.readable ? 'R' : ''}${each.writable ? 'W' : ''}${each.executable ? 'E' : ''}`,
        ]),
        listed.map((row) => {
          const [offset = '', virtual = '', physical = '', file = '', memory = '', ...access] =
            row.split(/\s+/);
          return [...[offset, virtual, physical, file, memory].map(BigInt), access.join('')];
        }),
      );
    },
  );

image('an image reads the same without its section headers', async ({ workshop }) => {
  const bytes = workshop.read(workshop.application('b', 64));

  const whole = await parseImage(bytes, 'b');
  const bare = await parseImage(withoutSectionHeaders(bytes), 'b');

  // The first segment holds the ELF header itself, which differs.
  const rest = { symbols: 0, segments: 0 };
  assert.equal({ ...bare, ...rest }, { ...whole, ...rest });
  assert.equal(bare.segments.slice(1), whole.segments.slice(1));
  assert.is(whole.symbols.find(whole.entry)?.name, '_start');
  assert.is(bare.symbols.find(bare.entry), undefined);
});

image(
  'the bytes of a Node Buffer inside a pool are read and left as they are',
  async ({ workshop }) => {
    const bytes = workshop.read(workshop.application('c', 64));
    const pool = Buffer.alloc(bytes.length + 100, 0xcc);
    pool.set(bytes, 50);

    const read = await parseImage(pool.subarray(50, 50 + bytes.length), 'c');

    assert.equal(read.segments, (await parseImage(bytes, 'c')).segments);
    assert.equal(new Uint8Array(pool.subarray(50, 50 + bytes.length)), bytes);
  },
);

image('a program of the host is told apart from a guest', async ({ workshop }) => {
  const plain = workshop.link('d', 'void _start(void) {}', 64, ['-static', '-no-pie']);

  await assertRefused(
    () => parseImage(workshop.read(plain), 'd'),
    'd: neither a Mini-OS application (it does not need libminios.so) nor a Xen domain (it has no Xen notes); build it with `stubdom build`',
  );
  await assertRefused(
    () => parseImage(withProgramHeader(workshop.read(plain), 0, { p_type: 3n }), 'd'),
    /^d: (its entry point|neither a Mini-OS application .* it is a program of the host’s own system)/,
  );
});

image('an image says whether its stack is to be executable', async ({ workshop }) => {
  const asks = async (name: string, flag: string): Promise<boolean> => {
    const path = workshop.application(name, 64, [`-Wl,-z,${flag}`]);
    return (await parseImage(workshop.read(path), name)).executableStack;
  };

  assert.is(await asks('g', 'execstack'), true);
  assert.is(await asks('h', 'noexecstack'), false);
});

image('an entry point outside all code is refused', async ({ workshop }) => {
  const bytes = workshop.read(workshop.application('e', 64));

  for (const entry of [0n, 0x40_3e78n, 0xffff_ffff_ffff_ffffn])
    await assertRefused(
      () => parseImage(withHeader(bytes, { e_entry: entry }), 'e'),
      `e: its entry point 0x${entry.toString(16)} lies in no executable segment`,
    );
});

image('a stranger’s line breaks stay out of the message', async ({ workshop }) => {
  const source = 'void minios_exit(int); void _start(void) { minios_exit(0); }';
  const bytes = workshop.read(workshop.application('f', 64, [], source));

  await assertRefused(
    () => parseImage(bytes.subarray(0, 70), 'a\n\u001b[2Jb'),
    /^a\\u\{a\}\\u\{1b\}\[2Jb: truncated: program header 0 /,
  );
});

image.run();
