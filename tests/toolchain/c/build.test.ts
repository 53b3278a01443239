import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../../runtime/errors.ts';
import { build, type Width } from '../../../toolchain/index.ts';
import { runProcess } from '../../../toolchain/process.ts';

const builds = suite<{ root: string }>('toolchain/c/build');

builds.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'stubdom-test-'));
});
builds.after.each(({ root }) => rmSync(root, { recursive: true, force: true }));

const widths = [64, 32] as const;

async function make(
  root: string,
  source: string,
  options: { width?: Width; flags?: string[]; name?: string } = {},
): Promise<{ status: number; messages: string; image: string }> {
  const { width = 64, flags = [], name = 'out.elf' } = options;
  writeFileSync(join(root, 'main.c'), source);
  const output = join(root, name);
  const words = [...flags, 'main.c'];
  const result = await build({ width, output, cwd: root, arguments: words });
  return { ...result, image: output };
}

const readelf = async (image: string, ...options: string[]): Promise<string> =>
  (await runProcess('readelf', ['-W', ...options, image])).stdout;

const hello = `#include <stdio.h>
int main(int argc, char **argv) { printf("%s %d %f %Lf\\n", argv[0], argc, 0.5, 0.25L); }
`;

for (const width of widths)
  builds(
    `on ${width} bits text, read-only data and data lie apart, an empty page before data`,
    async ({ root }) => {
      const { image } = await make(root, hello, { width });

      const headers = await readelf(image, '-l', '-h');

      const segments = [
        ...headers.matchAll(/LOAD +\S+ 0x(\w+) \S+ \S+ 0x(\w+) (R E|R {2}|RW ) 0x1000/g),
      ].map(([, start, size, flags]) => ({
        start: Number(`0x${start}`),
        end: Number(`0x${start}`) + Number(`0x${size}`),
        flags,
      }));
      assert.match(headers, /Type: +EXEC/);
      assert.match(headers, width === 64 ? 'Advanced Micro Devices X86-64' : 'Intel 80386');
      assert.equal(
        segments.map(({ flags }) => flags),
        ['R E', 'R  ', 'RW '],
      );
      const [text, rodata, data] = segments;
      assert.is(text?.start, 0x1000000);
      assert.ok((rodata?.start ?? 0) >= (text?.end ?? 0));
      assert.ok((data?.start ?? 0) - (rodata?.end ?? 0) >= 4096);
      assert.not.match(headers, 'INTERP');
      assert.not.match(headers, 'TLS');
    },
  );

for (const width of widths)
  builds(
    `on ${width} bits an image has an executable stack only where it calls nested functions by address`,
    async ({ root }) => {
      const nested = `int apply(int (*f)(int)) { return f(1); }
int (*volatile through)(int (*)(int)) = apply;
int main(int argc, char **argv) { int add(int x) { return x + argc++; } return through(add); }
`;
      const stackOf = async (source: string): Promise<string> => {
        const { image } = await make(root, source, { width });
        return /GNU_STACK .* (RWE?)/.exec(await readelf(image, '-l'))?.[1] ?? '';
      };

      assert.is(await stackOf(hello), 'RW');
      assert.is(await stackOf(nested), 'RWE');
    },
  );

for (const width of widths)
  builds(
    `on ${width} bits imports are bound at load, by jump slots and one copy`,
    async ({ root }) => {
      const { image } = await make(root, hello, { width, flags: ['-s'] });

      const dynamic = await readelf(image, '-d', '-r');

      assert.match(dynamic, '[libminios.so]');
      assert.match(dynamic, 'BIND_NOW');
      assert.match(dynamic, '(HASH)');
      const kinds = new Set(
        [...dynamic.matchAll(/R_(?:X86_64|386)_(\w+)/g)].map(([, kind]) => kind),
      );
      kinds.delete('GLOB_DAT');
      assert.equal([...kinds].sort(), ['COPY', 'JUMP_SLOT']);
      assert.match(dynamic, /COPY .*minios_current/);
    },
  );

for (const width of widths)
  builds(
    `on ${width} bits the same input gives the same bytes, with debug information, too`,
    async ({ root }) => {
      const first = await make(root, hello, { width, flags: ['-g', '-O2'], name: 'first.elf' });
      const second = await make(root, hello, { width, flags: ['-g', '-O2'], name: 'second.elf' });

      assert.equal(readFileSync(first.image), readFileSync(second.image));
    },
  );

builds('gcc’s complaint and status come back, and no image', async ({ root }) => {
  const { status, messages, image } = await make(root, 'int main(void) { return nothing; }\n');

  assert.is.not(status, 0);
  assert.match(messages, 'main.c:1:25: error: ‘nothing’ undeclared');
  assert.not(existsSync(image));
  assert.equal(readdirSync(root), ['main.c']);
});

builds('nothing of the host is seen: no headers, no libraries, no Linux', async ({ root }) => {
  const header = await make(root, '#include <linux/types.h>\nint main(void) {}\n');
  const linked = await make(root, 'int main(void) {}\n', { flags: ['-lfancy'] });
  const macros = await make(
    root,
    '#if defined __linux__ || defined __unix__ || defined linux\n#error Linux\n#endif\n' +
      '#ifndef __minios__\n#error not Mini-OS\n#endif\nint main(void) {}\n',
  );

  assert.match(header.messages, 'linux/types.h: No such file');
  assert.match(linked.messages, 'cannot find -lfancy');
  assert.is(macros.messages, '');
});

builds('thread-local variables become a segment that the kernel copies', async ({ root }) => {
  const { image } = await make(root, '__thread int x = 1, y;\nint main(void) { return x + y; }\n');

  const { stdout } = await runProcess('readelf', ['-lW', image]);

  assert.match(stdout, / TLS +0x\w+ 0x\w+ 0x\w+ 0x0*4 0x0*8 /);
});

builds('a function that is nowhere is a link error that names it', async ({ root }) => {
  const { messages } = await make(root, 'int fancy(void);\nint main(void) { return fancy(); }\n');

  assert.match(messages, 'undefined reference to `fancy');
});

builds('on 32 bits the user’s CPU wins over the default one', async ({ root }) => {
  const source = 'double f(double x) { return x * 1.5; }\nint main(void) { return f(2); }\n';
  const sse = await make(root, source, { width: 32, flags: ['-O0'], name: 'sse.elf' });
  const x87 = await make(root, source, {
    ...{ width: 32, flags: ['-O0', '-march=i686', '-mfpmath=387'], name: 'x87.elf' },
  });
  const body = async (image: string) =>
    (await runProcess('objdump', ['-d', '--disassemble=f', image])).stdout;

  assert.match(await body(sse.image), 'mulsd');
  assert.match(await body(x87.image), 'fmul');
  assert.not.match(await body(x87.image), 'xmm');
});

builds('an output that cannot be written is said before any work', async ({ root }) => {
  mkdirSync(join(root, 'directory'));
  const message = async (output: string) =>
    await build({ output, arguments: ['none.c'] }).then(
      () => undefined,
      (error: unknown) => (error instanceof UserError ? error.message : String(error)),
    );

  assert.is(await message(join(root, 'no/out.elf')), `cannot write ${root}/no/out.elf: ENOENT`);
  assert.is(await message(join(root, 'directory')), `cannot write ${root}/directory: EISDIR`);
});

builds.run();
