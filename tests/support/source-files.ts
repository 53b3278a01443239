/** The project's own TypeScript as text: what the tests of its architecture read. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout: compiled files lie two directories below the compiler's output, itself in the checkout. */
export const projectDirectory = fileURLToPath(new URL('../../../', import.meta.url));

export interface SourceFile {
  /** From the checkout, such as `runtime/ir/ops.ts`. */
  readonly path: string;
  readonly text: string;
}

export const sourceFiles = (...folders: readonly string[]): SourceFile[] =>
  folders
    .flatMap((folder) =>
      (readdirSync(join(projectDirectory, folder), { recursive: true }) as string[])
        .filter((name) => name.endsWith('.ts'))
        .map((name) => posix.join(folder, name)),
    )
    .sort()
    .map((path) => ({ path, text: readFileSync(join(projectDirectory, path), 'utf8') }));

export interface Import {
  /** A path from the checkout for a relative import, else the package's name. */
  readonly target: string;
  /** `import(…)`: loaded when it is reached. */
  readonly isLazy: boolean;
}

const importPattern = /\bfrom '([^']+)'|^import '([^']+)'|\b(import)\('([^']+)'\)/gm;

export const importsOf = ({ path, text }: SourceFile): Import[] =>
  [...text.matchAll(importPattern)].map(([, from, bare, lazy, loaded]) => {
    const name = from ?? bare ?? loaded ?? '';
    const target = name.startsWith('.') ? posix.join(dirname(path), name) : name;
    return { target, isLazy: lazy !== undefined };
  });
