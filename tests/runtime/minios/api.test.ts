/** The table as a whole. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ApiRow, api } from '../../../runtime/minios/api.ts';
import { parsePrototype } from '../../../runtime/minios/marshal.ts';

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

table.run();
