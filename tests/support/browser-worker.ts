/** A worker thread made to look like a browser's: the web's globals, and none of Node's. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** An ES module has no \`require\`; what is left of Node is taken away before the module is loaded. */
const prelude = `
const { parentPort, workerData } = require('node:worker_threads');
globalThis.self = globalThis;
globalThis.WorkerGlobalScope = class {};
globalThis.postMessage = (message) => parentPort.postMessage(message);
for (const name of ['process', 'Buffer', 'global', 'setImmediate', 'clearImmediate', 'require', 'module', 'exports']) delete globalThis[name];
import(workerData.url).then(() => parentPort.on('message', (data) => self.onmessage({ data })));
`;

/** Posts \`message\` to the module's \`onmessage\`; the first message that it posts is the answer. */
export async function runAsBrowserWorker(code: string, message: unknown): Promise<unknown> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-worker-'));
  const file = join(directory, 'worker.mjs');
  writeFileSync(file, code);
  const worker = new Worker(prelude, {
    eval: true,
    workerData: { url: pathToFileURL(file).href },
  });
  try {
    return await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (status) => reject(new Error(`the worker ended with ${status}`)));
      worker.postMessage(message);
    });
  } finally {
    await worker.terminate();
    rmSync(directory, { recursive: true });
  }
}
