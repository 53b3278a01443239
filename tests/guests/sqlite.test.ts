/** SQLite on a file system of our own in memory: tables, indexes, queries and rollbacks as natively, to the byte. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fetchNpmPackage } from '../support/npm-package.ts';
import { isFull, type Program, testFile, tiers, Workbench } from '../support/program.ts';

const sqlite = suite<{ bench: Workbench; tree: string }>('guests/sqlite');

sqlite.before(async (context) => {
  context.bench = new Workbench();
  // The package has SQLite's amalgamation (public domain) for its add-on.
  context.tree = await fetchNpmPackage('better-sqlite3', '13.2.0', 'deps/sqlite3');
});
sqlite.after(({ bench }) => bench.remove());

/** sqlite.org/compile.html */
const defines = [
  ...['OS_OTHER=1', 'THREADSAFE=0', 'DEFAULT_MEMSTATUS=0'],
  ...['OMIT_LOAD_EXTENSION', 'OMIT_LOCALTIME', 'OMIT_WAL'],
].map((name) => `-DSQLITE_${name}`);

/** gcc takes twice as long at -O2. */
const level = isFull ? '-O2' : '-O1';
const rows = isFull ? 100_000 : 5_000;

const database = (tree: string): Program => ({
  files: [
    join(tree, 'sqlite3.c'),
    ...['memory-vfs.c', 'database.c'].map((file) => testFile(`guests/sqlite/${file}`)),
  ],
  options: [level, '-I', tree, ...defines],
});

const ways = ([64, 32] as const).flatMap((width) => tiers.map((tier) => ({ width, tier })));

for (const { width, tier } of ways)
  sqlite(`x86-${width}, ${tier}: ${rows} rows are what they are natively`, async (context) => {
    const { bench, tree } = context;
    const input = { arguments: [String(rows)] };

    const guest = await bench.runGuest(database(tree), width, { ...input, tier });
    const native = await bench.runNative(database(tree), width, input);

    assert.is(guest.output.toString(), native.output.toString());
    assert.match(guest.output.toString(), `? SELECT count(*), count(balance)`);
    assert.match(guest.output.toString(), `\n  ${rows}|${rows - rows / 50}|1920|2009|`);
    assert.equal([guest.status, native.status], [0, 0]);
  });

sqlite.run();
