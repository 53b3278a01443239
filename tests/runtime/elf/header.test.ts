import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readHeader } from '../../../runtime/elf/header.ts';
import { ImageFile } from '../../../runtime/elf/image-file.ts';
import { assertRefused } from '../../support/assert-refused.ts';
import { type HeaderWord, withHeader } from '../../support/elf-edit.ts';
import { openWorkshop } from '../../support/elf-files.ts';

const header = suite<{ image: Uint8Array; narrow: Uint8Array }>('runtime/elf/header');

header.before((context) => {
  const workshop = openWorkshop();
  context.image = workshop.read(workshop.application('a', 64));
  context.narrow = workshop.read(workshop.application('b', 32));
  workshop.remove();
});

const read = (bytes: Uint8Array): unknown => readHeader(new ImageFile('x.elf', bytes));

header('both classes are told apart', ({ image, narrow }) => {
  assert.is(readHeader(new ImageFile('x.elf', image)).width, 64);
  assert.is(readHeader(new ImageFile('x.elf', narrow)).width, 32);
});

header('what is no ELF image is said to be none', async () => {
  await assertRefused(() => read(new Uint8Array()), 'x.elf: not an ELF image: the file is empty');
  await assertRefused(
    () => read(new TextEncoder().encode('#!/bin/sh\n')),
    'x.elf: not an ELF image: it begins with 23 21 2f 62, not with 7f 45 4c 46',
  );
});

// biome-ignore format: one refusal a line
const refusals: readonly (readonly [words: Partial<Record<HeaderWord, bigint>>, message: string])[] = [
  [{ e_class: 3n }, 'its ELF class is 3; ELF32 (1) and ELF64 (2) can run here'],
  [{ e_data: 2n }, 'big-endian; x86 images are little-endian'],
  [{ e_data: 0n }, 'its data encoding is 0, not little-endian (1)'],
  [{ e_ident_version: 0n }, 'its ELF version is 0, not 1'],
  [{ e_machine: 183n }, 'built for AArch64; x86-64 and x86-32 images can run here'],
  [{ e_machine: 4711n }, 'built for machine 4711; x86-64 and x86-32 images can run here'],
  [{ e_machine: 3n }, 'x86-32 code in an ELF64 file; build it with -m32'],
  [{ e_type: 1n }, 'an object file (ET_REL), not yet linked; link it with `stubdom build`'],
  [{ e_type: 3n }, 'a shared object or position-independent (ET_DYN); link it with -no-pie'],
  [{ e_type: 4n }, 'a core dump (ET_CORE), not a program'],
  [{ e_type: 77n }, 'not an executable: its ELF type is 77, not ET_EXEC (2)'],
  [{ e_ehsize: 52n }, 'e_ehsize is 52; ELF64 headers have 64 bytes'],
  [{ e_phentsize: 32n }, 'e_phentsize is 32; ELF64 program headers have 56 bytes'],
  [{ e_phnum: 0n }, 'it has no program headers, so nothing to load'],
  [{ e_phnum: 0xffffn }, 'it has 65535 program headers; at most 128 are loaded'],
  [{ e_phoff: 8n }, 'e_phoff is 8: the program headers would lie inside the ELF header'],
  [{ e_shentsize: 8n }, 'e_shentsize is 8; ELF64 section headers have 64 bytes'],
];

header('a header that cannot be right is refused by the word that is wrong', async ({ image }) => {
  for (const [words, message] of refusals)
    await assertRefused(() => read(withHeader(image, words)), `x.elf: ${message}`);
});

header('x86-64 code in an ELF32 file is the x32 ABI', async ({ narrow }) => {
  const x32 = Uint8Array.from(narrow).fill(62, 18, 19);

  await assertRefused(
    () => read(x32),
    'x.elf: x86-64 code in an ELF32 file (the x32 ABI); build it as x86-64 or with -m32',
  );
});

header('a file that ends inside a table says which, and where it ends', async ({ image }) => {
  await assertRefused(
    () => read(image.subarray(0, 60)),
    'x.elf: truncated: the ELF header lies at 0x0 and is 0x40 bytes long, beyond the end of the file (0x3c bytes)',
  );
  await assertRefused(
    () => read(image.subarray(0, 0x100)),
    'x.elf: truncated: program header 3 lies at 0xe8 and is 0x38 bytes long, beyond the end of the file (0x100 bytes)',
  );
  await assertRefused(
    () => read(withHeader(image, { e_shoff: 0xffff_ffff_ffff_ff00n, e_shnum: 1n })),
    `x.elf: truncated: the table of section headers lies at 0xffffffffffffff00 and is 0x40 bytes long, beyond the end of the file (0x${image.length.toString(16)} bytes)`,
  );
});

header.run();
