/**
 * The runtime as one ES module for a browser's worker. Two packages assume Node: iced-x86 reads its .wasm with `fs`, and
 * gets it embedded in the bundle; elfinfo asks for `string_decoder` and does without where there is none.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** The compiled runtime; the bundler sees JavaScript alone. */
const runtime = fileURLToPath(new URL('../../runtime/', import.meta.url));

const icedDirectory = dirname(createRequire(import.meta.url).resolve('iced-x86'));

/** What iced-x86 requires of Node, in terms of the web. */
const substitutes: Readonly<Record<string, string>> = {
  util: 'export const TextDecoder = globalThis.TextDecoder, TextEncoder = globalThis.TextEncoder;',
  path: "export const join = (...parts) => parts.join('/');",
  fs: "import bytes from './iced_x86_bg.wasm'; export const readFileSync = () => bytes;",
};

const nodeSubstitutes: Plugin = {
  name: 'node-substitutes',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(util|path|fs)$/ }, ({ path, resolveDir }) =>
      resolveDir === icedDirectory ? { path, namespace: 'substitute' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'substitute' }, ({ path }) => ({
      contents: substitutes[path] ?? '',
      resolveDir: icedDirectory,
    }));
  },
};

export interface Bundle {
  readonly code: string;
  /** Modules that the code would still ask its surroundings for. */
  readonly asks: readonly string[];
}

/** Bundles `entry`, a module that imports `./index.js`, the runtime's face. */
export async function bundleForWorker(entry: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: entry, resolveDir: runtime, sourcefile: join(runtime, 'worker.js') },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    define: { __dirname: '"."' },
    loader: { '.wasm': 'binary' },
    plugins: [nodeSubstitutes],
    external: ['node:*'],
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const asks = Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.filter(({ external }) => external).map(({ path }) => path),
  );
  return { code: outputFiles.map(({ text }) => text).join(''), asks };
}
