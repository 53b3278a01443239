/** Domain images that no Xen could start, status 125, one line that says what is wrong, nothing run. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boot, UserError } from '../../runtime/index.ts';
import type { Width } from '../../runtime/memory/layout.ts';
import { domainFlags, openWorkshop, type Workshop } from '../support/elf-files.ts';
import { shell } from '../support/shell.ts';

const bad = suite<Workshop>('guests/bad-domain');

bad.before((context) => {
  Object.assign(context, openWorkshop());
});
bad.after(({ remove }) => remove());

/** XEN_ELFNOTE_* (elfnote.h). */
const types = {
  ...{ ENTRY: 1, HYPERCALL_PAGE: 2, VIRT_BASE: 3, PADDR_OFFSET: 4, XEN_VERSION: 5 },
  ...{ LOADER: 8, PAE_MODE: 9, FEATURES: 10, INIT_P2M: 15, MOD_START_PFN: 16 },
} as const;

type Note = readonly [name: keyof typeof types, value: bigint | string];

function source(notes: readonly Note[]): string {
  const lines = notes.map(([name, value]) => {
    const size = typeof value === 'bigint' ? 8 : value.length + 1;
    const description = typeof value === 'bigint' ? `.quad ${value}` : `.asciz "${value}"`;
    return `.long 4, ${size}, ${types[name]}\n.asciz "Xen"\n${description}\n.balign 4`;
  });
  return `.globl _start\n.text\n_start: jmp _start\n.section .note, "", @note\n${lines.join('\n')}\n`;
}

const legacy = (text: string): string =>
  `.globl _start\n.text\n_start: jmp _start\n.section __xen_guest, "", @progbits\n.asciz "${text}"\n`;

const generic: readonly Note[] = [
  ['LOADER', 'generic'],
  ['XEN_VERSION', 'xen-3.0'],
];

interface Case {
  readonly name: string;
  readonly width?: Width;
  readonly source: string;
  readonly message: RegExp;
  /** Where it is linked. */
  readonly at?: bigint;
  readonly ramdisk?: Uint8Array;
}

const lowest = 0xffff_8000_0000_0000n;
const [low32, inside] = [0xf580_0000n, 0xffff_8000_1000_0000n];

// biome-ignore format: a table
const cases: readonly Case[] = [
  { name: 'VIRT_BASE in Xen’s hole', source: source([...generic, ['VIRT_BASE', lowest]]), message: /VIRT_BASE 0xffff800000000000 lies in Xen's own addresses/ },
  { name: 'VIRT_BASE inside Xen’s hole', source: source([...generic, ['VIRT_BASE', inside]]), message: /VIRT_BASE 0xffff800010000000 lies in Xen's own addresses/ },
  { name: 'VIRT_BASE in Xen’s hole of x86-32', width: 32, source: source([...generic, ['VIRT_BASE', low32]]), message: /VIRT_BASE 0xf5800000 lies in Xen's own addresses/ },
  { name: 'a VIRT_BASE that is no address', source: source([...generic, ['VIRT_BASE', 0x8000_0000_0000n]]), message: /VIRT_BASE 0x800000000000 is no address of x86-64/ },
  { name: 'a VIRT_BASE beyond 32 bits', width: 32, source: source([...generic, ['VIRT_BASE', 0x1_0000_0000n]]), message: /VIRT_BASE 0x100000000/ },
  { name: 'a VIRT_BASE within a page', source: source([...generic, ['VIRT_BASE', 0x10n], ['PADDR_OFFSET', 0n]]), message: /VIRT_BASE 0x10 is no page's address/ },
  { name: 'an image that leaves no room below the hole', at: 0x7fff_fff8_0000n, source: source([...generic, ['VIRT_BASE', 0x7fff_fff8_0000n], ['PADDR_OFFSET', 0x7fff_fff8_0000n]]), message: /what is mapped from VIRT_BASE 0x7ffffff80000 on would reach into Xen's own addresses/ },
  { name: 'an image that leaves no room below the hole of x86-32', width: 32, at: low32 - 0x8_0000n, source: source([...generic, ['VIRT_BASE', low32 - 0x8_0000n], ['PADDR_OFFSET', low32 - 0x8_0000n]]), message: /what is mapped from VIRT_BASE 0xf5780000 on would reach/ },
  { name: 'two values of VIRT_BASE', source: source([...generic, ['VIRT_BASE', 0n], ['VIRT_BASE', 0x1000n]]), message: /notes contradict each other: VIRT_BASE is 0x0 and 0x1000/ },
  { name: 'two loaders', source: source([...generic, ['LOADER', 'other']]), message: /notes contradict each other: LOADER is 'generic' and 'other'/ },
  { name: 'an entry outside', source: source([...generic, ['ENTRY', 0x10_0000n]]), message: /entry point 0x100000 lies in no executable segment/ },
  { name: 'a hypercall page outside', source: source([...generic, ['HYPERCALL_PAGE', 0x10_0000n]]), message: /HYPERCALL_PAGE 0x100000 is no page of the image/ },
  { name: 'segments below VIRT_BASE', at: 0x10_0000n, source: source([...generic, ['VIRT_BASE', 0x20_0000n], ['PADDR_OFFSET', 0x20_0000n]]), message: /notes contradict its segments: it begins at 0x100000, below VIRT_BASE 0x200000/ },
  { name: 'INIT_P2M inside the image', source: source([...generic, ['INIT_P2M', 0n]]), message: /INIT_P2M 0x0 lies inside of the image/ },
  { name: 'INIT_P2M in the hole', source: source([...generic, ['INIT_P2M', lowest]]), message: /INIT_P2M 0xffff800000000000 lies in Xen's own addresses/ },
  { name: 'INIT_P2M in what is mapped first', source: source([...generic, ['INIT_P2M', 0x10_0000n]]), message: /notes contradict each other: INIT_P2M 0x100000 is mapped from VIRT_BASE on/ },
  { name: 'INIT_P2M near the image', source: source([...generic, ['INIT_P2M', 0x1000_0000n]]), message: /INIT_P2M 0x10000000 in the same 512 GiB as VIRT_BASE is not supported yet/ },
  { name: 'INIT_P2M within a page', source: source([...generic, ['INIT_P2M', 0x80_0000_0010n]]), message: /INIT_P2M 0x8000000010 is no page's address/ },
  { name: 'another interface', source: source([['XEN_VERSION', 'xen-2.0']]), message: /'xen-2.0'; 'xen-3.0' is there/ },
  { name: 'no PAE', width: 32, source: source([...generic, ['PAE_MODE', 'no']]), message: /without PAE/ },
  { name: 'a feature that it needs', source: source([...generic, ['FEATURES', '!auto_translated_physmap']]), message: /needs Xen's feature auto_translated_physmap/ },
  { name: 'old notes whose VIRT_BASE is no number', source: legacy('GUEST_OS=x,XEN_VER=xen-3.0,VIRT_BASE=zero,LOADER=generic'), message: /VIRT_BASE=zero is not a number/ },
  { name: 'old notes with VIRT_BASE in the hole', source: legacy(`XEN_VER=xen-3.0,VIRT_BASE=0x${lowest.toString(16)},LOADER=generic`), message: /lies in Xen's own addresses/ },
  { name: 'more than memory', source: source(generic).replace('.section .note', '.bss\n.skip 0x4000000\n.section .note'), message: /does not fit into memory/ },
  { name: 'a ramdisk that leaves no room', source: source(generic), ramdisk: new Uint8Array(2 ** 22 - 4096), message: /does not fit into memory/ },
  { name: 'a ramdisk larger than memory', source: source(generic), ramdisk: new Uint8Array(2 ** 22 + 1), message: /the ramdisk does not fit into memory/ },
];

for (const { name, width = 64, source: text, message, at = 0n, ramdisk } of cases)
  bad(`${name} is refused`, async ({ link, read }) => {
    const image = read(
      link('image.elf', text, width, [...domainFlags, `-Wl,-Ttext=0x${at.toString(16)}`]),
    );
    const options = { name: 'image.elf', memory: 2 ** 22, budget: 1000 };

    const attempt = boot(image, ramdisk ? { ...options, ramdisk } : options);
    const refusal = await attempt.catch((error: unknown) => error);

    assert.instance(refusal, UserError, 'it was booted');
    assert.match((refusal as UserError).message, /^image\.elf: [^\n]+$/);
    assert.ok(message.test((refusal as UserError).message), (refusal as UserError).message);
    assert.is((refusal as UserError).status, 125);
  });

// biome-ignore format: a table
const lines: readonly (readonly [line: string, message: RegExp])[] = [
  ['run hole.elf', /^stubdom: hole\.elf: its VIRT_BASE 0xffff800000000000 lies in Xen's own addresses/],
  ['create hole.cfg', /^stubdom: hole: its VIRT_BASE 0xffff800000000000 lies in Xen's own addresses/],
  ['run hole.gz', /^stubdom: hole\.gz: its VIRT_BASE 0xffff800000000000 lies in Xen's own addresses/],
  ['run twice.elf', /^stubdom: twice\.elf: its notes contradict each other: VIRT_BASE is 0x0 and 0x1000/],
  ['run --memory 1M --ramdisk ramdisk good.elf', /^stubdom: ramdisk ramdisk: its 2093056 bytes do not fit into 1048576/],
  ['run --memory 2M --ramdisk ramdisk good.elf', /^stubdom: good\.elf: [^\n]* does not fit into memory/],
];

bad('a shell sees one line and 125', async ({ link, directory, read }) => {
  const hole = source([...generic, ['VIRT_BASE', lowest]]);
  writeFileSync(
    join(directory, 'hole.gz'),
    gzipSync(read(link('hole.elf', hole, 64, domainFlags))),
  );
  writeFileSync(join(directory, 'hole.cfg'), 'name="hole"\nkernel="hole.elf"\n');
  const twice = source([...generic, ['VIRT_BASE', 0n], ['VIRT_BASE', 0x1000n]]);
  link('twice.elf', twice, 64, domainFlags);
  link('good.elf', source(generic), 64, domainFlags);
  writeFileSync(join(directory, 'ramdisk'), new Uint8Array(2 ** 21 - 4096));
  for (const [line, message] of lines) {
    const { status, output, errors } = await shell(`$STUBDOM ${line}`, directory);

    assert.match(errors, /^stubdom: [^\n]+\n$/);
    assert.match(errors, message);
    assert.equal([status, output], [125, ''], line);
  }
});

bad.run();
