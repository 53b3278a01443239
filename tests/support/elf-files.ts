/** Real ELF files, made by the machine's gcc in a temporary folder: applications against a bare libminios.so, and domains. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Width } from '../../runtime/elf/image-file.ts';

export interface Workshop {
  readonly directory: string;
  /** Compiles and links C or assembler source; answers the image's path. */
  readonly link: (name: string, source: string, width: Width, flags: readonly string[]) => string;
  /** An application that needs libminios.so. */
  readonly application: (
    name: string,
    width: Width,
    flags?: readonly string[],
    source?: string,
  ) => string;
  readonly tool: (command: string, ...args: readonly string[]) => string;
  readonly read: (path: string) => Uint8Array;
  readonly remove: () => void;
}

export function openWorkshop(): Workshop {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-elf-'));
  const tool = (command: string, ...args: readonly string[]): string =>
    execFileSync(command, args, {
      encoding: 'utf8',
      stdio: 'pipe',
      env: { ...process.env, LC_ALL: 'C' },
    });

  const link: Workshop['link'] = (name, source, width, flags) => {
    const [input, output] = [join(directory, `${name}.src`), join(directory, name)];
    writeFileSync(input, source);
    const language = source.startsWith('.') ? 'assembler' : 'c';
    tool('gcc', `-m${width}`, '-x', language, input, '-x', 'none', '-o', output, ...bare, ...flags);
    return output;
  };

  const application: Workshop['application'] = (
    name,
    width,
    flags = [],
    source = applicationSource,
  ) => {
    const library = link(`minios-${width}.so`, librarySource, width, [
      '-shared',
      '-Wl,-soname,libminios.so',
    ]);
    return link(name, source, width, [
      '-no-pie',
      '-Wl,--no-dynamic-linker',
      '-Wl,-z,now',
      library,
      ...flags,
    ]);
  };

  return {
    directory,
    link,
    application,
    tool,
    read: (path) => new Uint8Array(readFileSync(path)),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The image as a tool leaves it that strips section headers, too. */
export function withoutSectionHeaders(image: Uint8Array): Uint8Array {
  const copy = image.slice();
  const view = new DataView(copy.buffer);
  if (copy[4] === 2) {
    view.setBigUint64(0x28, 0n, true);
    view.setUint32(0x3c, 0, true);
  } else {
    view.setUint32(0x20, 0, true);
    view.setUint32(0x30, 0, true);
  }
  return copy;
}

const bare = [
  '-O1',
  '-ffreestanding',
  '-nostdlib',
  '-fno-pic',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fcf-protection=none',
  '-Wl,--build-id=none',
];

const librarySource = `
void *minios_current;
char minios_table[16];
int minios_write(int fd, const void *buf, unsigned long n) { return 0; }
void minios_exit(int status) { for (;;) {} }
void minios_optional(void) {}
`;

const applicationSource = `
extern void *minios_current;
char minios_table[16];
int minios_write(int fd, const void *buf, unsigned long n);
void minios_exit(int status);
int counter;
int (*writers[])(int, const void *, unsigned long) = { minios_write };
__attribute__((noinline)) int helper(int fd) { counter++; return writers[0](fd, "hi", 2) + (minios_current != 0); }
void _start(void) { minios_exit(helper(1) + minios_write(1, "ho", 2)); }
`;

/** Three ways to say the same Xen notes; the code is one `hlt`. */
export const domainSource = {
  /** Loaded notes, so ld makes a PT_NOTE. */
  noteSegment: `.globl _start
.text
_start: hlt
.section .note.Xen, "a", @note
${notes()}
`,
  /** As Mini-OS has them since 4.5: not loaded, reached by section headers alone. */
  noteSection: `.globl _start
.text
_start: hlt
.section .note, "", @note
${notes()}
`,
  /** As Mini-OS had them before. */
  guestSection: `.globl _start
.text
_start: hlt
.section __xen_guest, "", @progbits
.asciz "GUEST_OS=Mini-OS,XEN_VER=xen-3.0,VIRT_BASE=0x0,ELF_PADDR_OFFSET=0x0,HYPERCALL_PAGE=0x2,PAE=yes[extended-cr3],LOADER=generic"
`,
};

export const domainFlags = ['-static', '-no-pie', '-Wl,-N', '-Wl,-Ttext=0'];

function notes(): string {
  const text = (type: number, value: string): string =>
    `.long 4, ${value.length + 1}, ${type}\n.asciz "Xen"\n.asciz "${value}"\n.balign 4`;
  return [
    text(6, 'Mini-OS'),
    text(8, 'generic'),
    '.long 4, 4, 2\n.asciz "Xen"\n.long 0x2000',
    text(5, 'xen-3.0'),
    '.long 4, 16, 13\n.asciz "Xen"\n.quad 1, 1',
    '.long 5, 3, 2\n.asciz "Bird"\n.balign 4\n.ascii "owl"\n.balign 4',
  ].join('\n');
}
