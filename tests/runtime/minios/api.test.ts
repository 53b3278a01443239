/** The table as a whole. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ApiRow, api } from '../../../runtime/minios/api.ts';
import { parsePrototype } from '../../../runtime/minios/marshal.ts';
import { projectDirectory } from '../../support/source-files.ts';

const table = suite('runtime/minios/api');

const rows = Object.entries<ApiRow>(api);

table('every prototype parses and bears the name of its row', () => {
  const functions = rows.flatMap(([name, row]) => ('prototype' in row ? [{ name, row }] : []));

  assert.ok(functions.length > 20);
  for (const { name, row } of functions) assert.is(parsePrototype(row.prototype).name, name);
});

table('an implementation takes no more arguments than its prototype has', () => {
  for (const [name, row] of rows) {
    if (!('prototype' in row)) continue;
    const { parameters } = parsePrototype(row.prototype);
    assert.ok(row.run.length <= parameters.length + 1, name);
  }
});

table('data is declared extern, under the name of its row', () => {
  for (const [name, row] of rows) {
    if (!('data' in row)) continue;
    assert.match(row.data, new RegExp(`^extern .*\\b${name}$`));
  }
});

/** Functions that the headers in mini-os/ declare, but for those that are ours. */
function declared(): string[] {
  const folder = join(projectDirectory, 'toolchain/sysroot/include/mini-os');
  return readdirSync(folder).flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8').replace(/^#.*(\\\n.*)*$/gm, '');
    const matches = text.matchAll(/^(?:[a-z]\w* )+\**(\w+)\([^;{]*\)[^;{]*[;{]/gm);
    return [...matches].map(([, name = '']) => name);
  });
}

table('the README says of every function of Mini-OS what tests it', () => {
  const text = readFileSync(join(projectDirectory, 'runtime/minios/README.md'), 'utf8');
  const said = new Set([...text.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  const tests = [...text.matchAll(/`(tests\/[\w./-]+)`/g)].map(([, path = '']) => path);
  const functions = rows.flatMap(([name, row]) => ('prototype' in row ? [name] : []));
  const names = [...functions, ...declared()].filter((name) => !name.startsWith('minios_'));

  assert.ok(names.includes('xenbus_read') && names.includes('down') && names.includes('schedule'));
  assert.equal(
    names.filter((name) => !said.has(name)),
    [],
  );
  assert.equal(
    tests.filter((path) => !existsSync(join(projectDirectory, path))),
    [],
  );
});

table.run();
