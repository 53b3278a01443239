/**
 * Makes the command a few files out of some hundred, since Node takes a millisecond for each module that it loads. Part of
 * `npm run build`; what is compiled beside it stays what tests and programs import.
 */
import { readFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { recompilerStamp } from '../runtime/host/node/module-cache.ts';

const compiled = fileURLToPath(new URL('..', import.meta.url));

/** Loaded where something is translated, as packages. */
const external = ['binaryen', 'iced-x86', '#iced', 'esbuild'];

/** Writes `main.js`, and what it loads, into a directory below that of the compiled code. */
export async function bundle(directory: string): Promise<void> {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [fileURLToPath(new URL('cli/main.js', import.meta.url))],
    outdir: directory,
    ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20' },
    ...{ external, logLevel: 'error', minifySyntax: true, minifyWhitespace: true },
    // Code that is compiled anew behind the bundle's back must not find translations of the bundle's.
    define: { bundledStamp: JSON.stringify(recompilerStamp()) },
    plugins: [
      {
        name: 'places',
        setup({ onLoad }) {
          onLoad({ filter: /\.js$/, namespace: 'file' }, async ({ path }) => {
            if (!path.startsWith(compiled)) return undefined;
            const text = await readFile(path, 'utf8');
            const place = JSON.stringify(relative(directory, path).replaceAll('\\', '/'));
            const contents = text.replaceAll(
              'import.meta.url',
              `new URL(${place}, import.meta.url).href`,
            );
            return { contents, resolveDir: dirname(path) };
          });
        },
      },
    ],
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await bundle(fileURLToPath(new URL('../bin', import.meta.url)));
