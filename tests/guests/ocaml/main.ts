/**
 * `node dist/tests/guests/ocaml/main.js WIDTH COMPILER [TEST.ml…]`: builds and runs the named tests of OCaml's suite, or all; a line of
 * JSON for each verdict.
 */

import type { Width } from '../../../toolchain/index.ts';
import { MapCache } from '../../support/map-cache.ts';
import { type Compiler, suiteDirectory, wholeSuite } from './suite.ts';
import { judge } from './verdicts.ts';

async function main([asked, kind, ...names]: readonly string[]): Promise<void> {
  const width: Width = asked === '32' ? 32 : 64;
  const compiler: Compiler = kind === 'bytecode' ? 'bytecode' : 'native';
  const cache = new MapCache();
  for (const test of wholeSuite(await suiteDirectory())) {
    if ('reason' in test || test.compiler !== compiler) continue;
    if (names.length > 0 && !names.includes(test.name)) continue;
    process.stdout.write(`${JSON.stringify(await judge(test, width, cache))}\n`);
  }
}

await main(process.argv.slice(2));
