import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runAsBrowserWorker } from '../support/browser-worker.ts';
import { projectDirectory } from '../support/source-files.ts';
import { bundleForWorker } from '../support/worker-bundle.ts';

const bundle = suite('runtime/bundle');

const example = join(projectDirectory, 'examples/hello-c');

const entry = `
import { boot } from './index.js';
self.onmessage = async ({ data }) => {
  const domain = await boot(data, { name: 'hello.elf' });
  domain.console.end();
  const { status } = await domain.exited;
  self.postMessage({ status, text: domain.console.text, globals: typeof process + typeof globalThis.require + typeof Buffer });
};`;

bundle(
  'the runtime asks for no module of Node, and boots hello in a worker without any',
  async () => {
    const { code, asks } = await bundleForWorker(entry);

    // Both are asked for only where they exist; the worker below has neither.
    assert.equal([...new Set(asks)].sort(), ['node:module', 'string_decoder']);
    for (const width of [64, 32]) {
      const image = new Uint8Array(readFileSync(join(example, `hello-${width}.elf`)));
      const answer = await runAsBrowserWorker(code, image);
      assert.equal(answer, {
        status: 0,
        text: readFileSync(join(example, 'expected.txt'), 'utf8'),
        globals: 'undefinedundefinedundefined',
      });
    }
  },
);

bundle.run();
