/** What gcc makes of Xen's public headers, as Debian's libxen-dev has them: offsets and constants to hold ours against. */
import { join } from 'node:path';
import type { Width } from '../../runtime/memory/layout.ts';
import { fetchDebianPackage } from '../../toolchain/debian/packages.ts';
import { runProcess } from '../../toolchain/process.ts';

/** Name of an answer → the C expression, a constant integer. */
export type Questions = Readonly<Record<string, string>>;

/** `headers` are as in `#include <xen/…>`. The compiler writes the answers into its assembler output; nothing is run. */
export async function askHeaders<Q extends Questions>(
  headers: readonly string[],
  width: Width,
  questions: Q,
): Promise<{ readonly [K in keyof Q]: number }> {
  const include = join(await fetchDebianPackage('libxen-dev'), 'usr/include');
  const source = [
    '#include <stddef.h>',
    '#include <stdint.h>',
    ...headers.map((header) => `#include <xen/${header}>`),
    'void f(void) {',
    ...Object.entries(questions).map(
      ([name, value]) => `__asm__("@@${name} %c0@@" : : "i"((long)(${value})));`,
    ),
    '}',
  ].join('\n');
  const flags = [`-m${width}`, '-ffreestanding', '-D__XEN_TOOLS__', '-isystem', include];
  const { status, stdout, stderr } = await runProcess(
    'gcc',
    [...flags, '-S', '-x', 'c', '-', '-o', '-'],
    { input: source },
  );
  if (status !== 0) throw new Error(stderr);
  const answers = [...stdout.matchAll(/@@(\w+) (-?\d+)@@/g)];
  return Object.fromEntries(answers.map(([, name, value]) => [name, Number(value)])) as {
    readonly [K in keyof Q]: number;
  };
}

/** The offset of each field of a struct, and its size as `sizeof`; `type` as C names it. */
export async function measureStruct(
  headers: readonly string[],
  width: Width,
  type: string,
  fields: readonly string[],
): Promise<Readonly<Record<string, number>>> {
  const offsets = fields.map((field) => [field, `__builtin_offsetof(${type}, ${field})`]);
  return await askHeaders(headers, width, {
    ...Object.fromEntries(offsets),
    sizeof: `sizeof(${type})`,
  });
}
