import { execFileSync, spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const engine = suite('runtime/host/node/engine');

/**
 * A Wasm function that V8 is asked to make fast only after its budget: with a budget of 1 it is at once, so the flag that
 * prepareEngine sets must be one that this V8 knows and obeys.
 */
const script = (budget: string): string => `
  import { setFlagsFromString } from 'node:v8';
  import { prepareEngine } from '${new URL('../../../../runtime/host/node/engine.js', import.meta.url)}';
  setFlagsFromString('--allow-natives-syntax');
  ${budget}
  const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 4, 1, 2, 0, 11]);
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  const isFast = new Function('f', 'return %IsLiftoffFunction(f) === false');
  for (let i = 0; i < 200_000; i++) f();
  setTimeout(() => process.stdout.write(String(isFast(f))), 200);
`;

const run = (budget: string): string =>
  execFileSync(process.execPath, ['--input-type=module', '-e', script(budget)], {
    encoding: 'utf8',
  });

engine('V8 waits longer before it optimises a Wasm function', () => {
  assert.is(run("setFlagsFromString('--wasm-tiering-budget=1000');"), 'true');
  assert.is(run("setFlagsFromString('--wasm-tiering-budget=1000'); prepareEngine();"), 'false');
});

engine('V8 knows all that is asked of it', () => {
  const [node, ...rest] = [
    process.execPath,
    '--input-type=module',
    '-e',
    script('prepareEngine();'),
  ];

  const { stderr, status } = spawnSync(node, rest, { encoding: 'utf8' });

  assert.is(stderr, '');
  assert.is(status, 0);
});

engine.run();
