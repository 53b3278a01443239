/** Records struct thread of mini-os/sched.h as our C compiler lays it out, which the kernel in TypeScript relies on. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { includeFlags, machineFlags } from '../../../toolchain/c/flags.ts';
import { sysroot, type Width } from '../../../toolchain/index.ts';
import { runProcess } from '../../../toolchain/process.ts';

const fields = 'name stack sp ip thread_list flags wakeup_time reent'.split(' ');

/** Offset of each field, and `sizeof`. */
export type ThreadLayout = Readonly<Record<string, number>>;

export const threadFile = fileURLToPath(
  new URL('../../../../tests/golden/abi/minios-thread.json', import.meta.url),
);

/** The compiler writes the constants into its assembler output; nothing is run. */
export async function measureThread(width: Width): Promise<ThreadLayout> {
  const { compiler, directory } = await sysroot(width);
  const rows = [
    ...fields.map((name) => [name, `__builtin_offsetof(struct thread, ${name})`]),
    ['sizeof', 'sizeof(struct thread)'],
  ].map(([name, value]) => `  __asm__("@@${name} %c0@@" : : "i"(${value}));`);
  const source = `#include <mini-os/sched.h>\nvoid f(void) {\n${rows.join('\n')}\n}\n`;
  const flags = [...machineFlags(width), ...includeFlags(compiler, directory)];
  const { status, stdout, stderr } = await runProcess(
    compiler.command,
    [...flags, '-S', '-x', 'c', '-', '-o', '-'],
    { input: source },
  );
  if (status !== 0) throw new Error(stderr);
  return Object.fromEntries(
    [...stdout.matchAll(/@@(\w+) (\d+)@@/g)].map(([, name, value]) => [name, Number(value)]),
  );
}

export async function recordThread(): Promise<void> {
  mkdirSync(new URL('.', `file://${threadFile}`), { recursive: true });
  const layouts = { 64: await measureThread(64), 32: await measureThread(32) };
  writeFileSync(threadFile, `${JSON.stringify(layouts, null, 2)}\n`);
}
