/** Small guests in freestanding C, linked by the machine's gcc against the generated import library: no C library, no sysroot. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BootOptions,
  boot,
  type DomainWithConsole,
  type Ending,
} from '../../runtime/index.ts';
import { api } from '../../runtime/minios/api.ts';
import { apiHeader, importLibrary } from '../../toolchain/c/import-library.ts';

type Width = 64 | 32;

/** Calls `int main(int argc, char **argv, char **envp)` and exits with what it returns. */
const start: Readonly<Record<Width, string>> = {
  64: `.globl _start\n_start: mov (%rsp),%rdi\nlea 8(%rsp),%rsi\nlea 16(%rsp,%rdi,8),%rdx\nxor %ebp,%ebp
       call main\nmov %eax,%edi\ncall minios_exit\nud2\n`,
  32: `.globl _start\n_start: mov (%esp),%eax\nlea 4(%esp),%ecx\nlea 8(%esp,%eax,4),%edx\nxor %ebp,%ebp
       sub $4,%esp\npush %edx\npush %ecx\npush %eax\ncall main\nmov %eax,(%esp)\ncall minios_exit\nud2\n`,
};

const prelude = `
#include "api.h"
static unsigned long length(const char *s) { unsigned long n = 0; while (s[n]) n++; return n; }
static void print(const char *s) { minios_write(1, s, length(s)); }
`;

// biome-ignore format: as for a linker's command line
const flags = [
  '-O1', '-g0', '-ffreestanding', '-nostdlib', '-no-pie', '-fno-pic', '-mno-red-zone', '-fno-stack-protector', '-fcf-protection=none',
  '-fno-asynchronous-unwind-tables', '-fno-builtin', '-Wl,--no-dynamic-linker', '-Wl,-z,now', '-Wl,-Ttext-segment=0x1000000',
  '-Wl,--build-id=none', '-Wl,-z,noexecstack',
];

/** The image of a guest whose \`main\` is in `source`; `print(text)` and the API are declared. */
export function buildGuest(source: string, width: Width, more: readonly string[] = []): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-guest-'));
  const file = (name: string): string => join(directory, name);
  try {
    writeFileSync(file('api.h'), apiHeader(api));
    writeFileSync(file('minios.s'), importLibrary(api, width));
    writeFileSync(file('start.s'), start[width]);
    writeFileSync(file('main.c'), prelude + source);
    const gcc = (...args: string[]): void => {
      execFileSync('gcc', [`-m${width}`, ...args], { cwd: directory, stdio: 'pipe' });
    };
    gcc('-shared', '-nostdlib', '-Wl,-soname,libminios.so', '-o', 'libminios.so', 'minios.s');
    const machine = width === 32 ? ['-march=pentium4', '-mfpmath=sse'] : [];
    gcc(...machine, ...flags, ...more, '-o', 'guest.elf', 'start.s', 'main.c', 'libminios.so');
    return new Uint8Array(readFileSync(file('guest.elf')));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Polls that no guest of a test needs, so that none runs for ever. */
const budget = 50_000_000;

export const bootGuest = (
  source: string,
  width: Width,
  options: BootOptions = {},
): Promise<DomainWithConsole> =>
  boot(buildGuest(source, width), { name: 'guest.elf', budget, ...options });

export interface Outcome extends Ending {
  readonly output: string;
}

/** Boots a guest without input and runs it to its end. */
export async function runGuest(
  source: string,
  width: Width,
  options: BootOptions = {},
): Promise<Outcome> {
  const guest = await bootGuest(source, width, options);
  guest.console.end();
  const ending = await guest.exited;
  return { ...ending, output: guest.console.text };
}
