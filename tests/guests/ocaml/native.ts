/** Debian's OCaml as it is, whose programs run on the machine itself: the oracle of what ours print. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory, makeOnce } from '../../../toolchain/cache.ts';
import type { Width } from '../../../toolchain/index.ts';
import { linkDebian } from '../../../toolchain/ocaml/caml-tree.ts';
import type { CompilerTree } from '../../../toolchain/ocaml/compiler-environment.ts';
import { prefixes } from '../../../toolchain/ocaml/tool-scripts.ts';

export async function nativeTree(width: Width): Promise<CompilerTree> {
  const directory = join(cacheDirectory(), `ocaml-native-${width}`);
  const script = (command: string): string => `#!/bin/sh\nexec ${command} "$@"\n`;
  const scripts = {
    [`${prefixes[width]}gcc`]: script(`gcc -m${width}`),
    [`${prefixes[width]}as`]: script(`as --${width}`),
    [`${prefixes[width]}ld`]: script(`ld -m ${width === 64 ? 'elf_x86_64' : 'elf_i386'}`),
  };
  if (!existsSync(directory))
    await makeOnce(directory, async (tree) => {
      mkdirSync(join(tree, 'bin'));
      await linkDebian(tree, { width, directory, scripts });
    });
  return { directory, hasOwnBytecode: true };
}
