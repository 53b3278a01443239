/** The environment of OCaml's compilers and of ocamlfind (ocamlopt(1), findlib.conf(5)). */
import { join } from 'node:path';
import type { CamlTree } from './caml-tree.ts';

export interface FoundPackages {
  /** Directories where ocamlfind looks first. */
  readonly path: readonly string[];
  /** With all that they need. */
  readonly names: readonly string[];
}

export interface CompilerTree extends Pick<CamlTree, 'directory'> {
  readonly packages?: FoundPackages;
  /** Its bytecode programs are those of the machine itself, with their debug information behind the interpreter. */
  readonly hasOwnBytecode?: boolean;
}

/** In which that tree's compilers and ocamlfind find themselves and each other. */
export function compilerEnvironment({ directory, packages }: CompilerTree): NodeJS.ProcessEnv {
  return {
    ...process.env,
    OCAMLLIB: join(directory, 'lib'),
    OCAMLFIND_CONF: join(directory, 'findlib.conf'),
    OCAMLPATH: (packages?.path ?? []).join(':'),
    PATH: `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`,
  };
}
