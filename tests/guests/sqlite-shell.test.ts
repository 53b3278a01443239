/** SQLite's shell, unchanged, on databases in folders: the host's own SQLite reads what it wrote, and no crash harms them. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Ext2Folder } from '../../runtime/backends/ext2/ext2-folder.ts';
import { openFolder } from '../../runtime/host/node/host-folder.ts';
import { runProcess } from '../../toolchain/process.ts';
import { CrashingDisk } from '../support/crashing-disk.ts';
import { withExportedFolder } from '../support/exported-folder.ts';
import { dumpFiles, faultsOf, newExt2, repaired } from '../support/ext2-disk.ts';
import { isFull, type Program, Workbench } from '../support/program.ts';
import { freshSeed, random } from '../support/random.ts';
import { sqliteShell, sqliteSource } from '../support/sqlite-shell.ts';
import { VolatileFolder } from '../support/volatile-folder.ts';

interface Context {
  bench: Workbench;
  program: Program;
  /** The host's own. */
  sqlite3: string;
}

const shell = suite<Context>('guests/sqlite-shell');

shell.before(async (context) => {
  context.bench = new Workbench();
  context.program = sqliteShell(await sqliteSource());
  const { status } = await runProcess('sh', ['-c', 'command -v sqlite3'], {});
  context.sqlite3 = status === 0 ? 'sqlite3' : await context.bench.native(context.program, 64);
});
shell.after(({ bench }) => bench.remove());

async function hostSays({ sqlite3 }: Context, file: string, text: string): Promise<string> {
  const { status, stdout, stderr } = await runProcess(sqlite3, [file, text], {});
  return `${stdout}${stderr}${status === 0 ? '' : `status ${status}`}`.trim();
}

const session = `
.mode list
CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT NOT NULL, born DATE, score REAL);
CREATE INDEX by_score ON person(score);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
INSERT INTO person SELECT i, printf('name %05d', i * 7919 % 2000), date('2000-01-01', '+' || i || ' days'), i / 7.0 FROM n;
SELECT count(*), round(sum(score), 3), min(name), max(born) FROM person;
.headers on
SELECT substr(name, 1, 6) AS part, count(*) FROM person WHERE score > 100 GROUP BY part ORDER BY part;
.mode csv
SELECT * FROM person WHERE id % 500 = 0;
SAVEPOINT a; DELETE FROM person WHERE id > 10; SELECT count(*) FROM person; ROLLBACK TO a; RELEASE a;
.mode column
SELECT id, upper(name) FROM person ORDER BY score DESC LIMIT 3;
INSERT INTO person VALUES(1, 'twice', NULL, NULL);
SELECT nonsense;
ATTACH '/export/second.db' AS other;
CREATE TABLE other.copy AS SELECT id, name FROM person WHERE id < 100;
BEGIN; INSERT INTO other.copy VALUES(1000, 'both'); UPDATE person SET name = 'both' WHERE id = 1; COMMIT;
VACUUM;
PRAGMA integrity_check;
.output /export/written.sql
.dump copy
.output stdout
.backup /export/backup.db
.tables
.schema person
`;

/** A write-ahead log has its index in memory that is mapped. */
const modes = ['truncate', 'persist', 'memory', 'delete', 'wal'];

const questions = [
  'PRAGMA integrity_check; SELECT count(*), group_concat(name) FROM (SELECT name FROM person LIMIT 5);',
  'SELECT sum(score), sum(id), sum(length(name)) FROM person;',
];

for (const width of isFull ? ([64, 32] as const) : ([64] as const)) {
  shell(
    `x86-${width}: a session prints what the host’s prints, which reads its databases`,
    async (context) => {
      await withExportedFolder(async (directory, folders) => {
        const words = ['-batch', '/export/first.db'];
        const guest = await context.bench.runGuest(context.program, width, {
          ...{ arguments: words, input: session, folders },
        });
        const host = await runHost(context, session);

        assert.is(guest.output.toString(), host);
        assert.is(guest.status, 1, 'two of its statements fail');
        assert.equal(readdirSync(directory).sort(), [
          'backup.db',
          'first.db',
          'second.db',
          'written.sql',
        ]);
        for (const question of questions) {
          const answer = await hostSays(context, join(directory, 'first.db'), question);
          assert.is(await hostSays(context, join(directory, 'backup.db'), question), answer);
          assert.not.match(answer, /rror|status/);
        }
        const ok = await hostSays(
          context,
          join(directory, 'second.db'),
          'PRAGMA integrity_check; SELECT max(id) FROM copy',
        );
        assert.is(ok, 'ok\n1000');
      });
    },
  );
}

for (const width of isFull ? ([64, 32] as const) : [])
  shell(
    `x86-${width}: it goes on with a database of the host’s, in each journal mode`,
    async (context) => {
      await withExportedFolder(async (directory, folders) => {
        const file = join(directory, 'data.db');
        await hostSays(context, file, 'CREATE TABLE t(a); INSERT INTO t VALUES(1);');

        for (const mode of modes)
          await context.bench.runGuest(context.program, width, {
            arguments: ['/export/data.db'],
            input: `PRAGMA journal_mode=${mode}; INSERT INTO t SELECT a + 1 FROM t;`,
            folders,
          });

        const text =
          'PRAGMA journal_mode=delete; PRAGMA integrity_check; SELECT count(*), sum(a) FROM t;';
        assert.is(await hostSays(context, file, text), 'delete\nok\n32|112');
      });
    },
  );

/** The same session where the host finds /export beside its files. */
async function runHost({ sqlite3 }: Context, text: string): Promise<string> {
  return withExportedFolder(async (directory) => {
    const own = text.replaceAll('/export', directory);
    const words = ['-c', '"$0" -batch "$1" 2>&1', sqlite3, join(directory, 'first.db')];
    const { stdout } = await runProcess('sh', words, { input: own });
    return stdout.replaceAll(directory, '/export');
  });
}

// Power loss.

const transactions = isFull ? 120 : 25;
const points = isFull ? 1000 : 20;

/** Accounts whose sum stays 0, a row a transaction, and blobs that come and go, over the pages of two trees. */
const work = (setting: string): string => `
${setting}
CREATE TABLE account(id INTEGER PRIMARY KEY, balance INTEGER);
CREATE TABLE done(n INTEGER PRIMARY KEY, data BLOB);
CREATE INDEX by_balance ON account(balance, id);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO account SELECT i, 0 FROM n;
${Array.from(
  { length: transactions },
  (_, n) => `BEGIN;
UPDATE account SET balance = balance + id * ${n % 7} WHERE id % 5 = ${n % 5};
UPDATE account SET balance = balance - (SELECT sum(balance) FROM account) WHERE id = ${(n % 200) + 1};
INSERT INTO done VALUES(${n + 1}, randomblob(${(n * 997) % 9000}));
UPDATE done SET data = NULL WHERE n = ${n - 3};
COMMIT;
SELECT 'committed', ${n + 1};
`,
).join('')}`;

/** How many transactions are there: all before it, and none of what followed. */
const check = `PRAGMA integrity_check; SELECT max(n) = count(*), count(*), (SELECT sum(balance) FROM account) FROM done;`;

const settings = {
  'journals that are deleted': 'PRAGMA synchronous=EXTRA;',
  'journals that are kept': 'PRAGMA journal_mode=PERSIST; PRAGMA synchronous=FULL;',
  'a write-ahead log':
    'PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=20; PRAGMA synchronous=FULL;',
} as const;

/** The first is what SQLite does if it is not told otherwise. */
for (const [name, setting] of Object.entries(settings).slice(0, isFull ? undefined : 1))
  shell(
    `${points} crashes, with ${name}: what was committed is there, and nothing else`,
    async (context) => {
      const folder = new VolatileFolder();
      const guest = await context.bench.runGuest(context.program, 64, {
        arguments: ['-interactive', '/export/bank.db'],
        input: work(setting),
        folders: [{ at: '/export', folder, isReadOnly: false }],
        onPrint: (bytes) => folder.mark(Buffer.from(bytes).toString()),
      });
      assert.is(guest.status, 0, guest.output.toString());
      const seed = freshSeed();
      const numbers = random(seed);
      process.stdout.write(`seed ${seed}, ${folder.steps.length} steps\n`);

      for (let point = 0; point < points; point++) {
        const at = numbers.below(folder.steps.length + 1);
        const directory = mkdtempSync(join(tmpdir(), 'stubdom-crash-'));
        try {
          const printed = folder.crash(at, numbers, directory).join('');
          const committed = [...printed.matchAll(/committed\|(\d+)/g)].length;
          // One crash in ten is found by the guest's own SQLite first.
          if (point % 10 === 9) await recoverInGuest(context, directory);
          const said = await hostSays(context, join(directory, 'bank.db'), check);
          assertWhole(said, committed, `seed ${seed}, step ${at}`);
        } finally {
          rmSync(directory, { recursive: true });
        }
      }
    },
  );

/** The same on an image with a file system, which e2fsck mends first, as a person would; a minute, so in the long tier. */
const onImage = isFull ? shell : shell.skip;
if (!isFull)
  process.stdout.write('skipped: crashes of a disk image take a minute; --full has them\n');
onImage(
  `${points} crashes of a disk image: e2fsck and SQLite find what was committed`,
  async (context) => {
    const bytes = await newExt2(8000);
    if (bytes === undefined) return;
    const disk = new CrashingDisk(bytes);
    const folder = new Ext2Folder(disk);
    const guest = await context.bench.runGuest(context.program, 64, {
      arguments: ['-interactive', '/data/bank.db'],
      input: work('PRAGMA synchronous=EXTRA;'),
      folders: [{ at: '/data', folder, isReadOnly: false }],
      onPrint: (printed) => disk.mark(Buffer.from(printed).toString()),
    });
    assert.is(guest.status, 0, guest.output.toString());
    await folder.unmount();
    assert.is(await faultsOf(disk.bytes), '');
    const seed = freshSeed();
    const numbers = random(seed);
    process.stdout.write(`seed ${seed}, ${disk.steps.length} steps\n`);

    for (let point = 0; point <= points; point++) {
      // The last is no crash.
      const at = point === points ? disk.steps.length : numbers.below(disk.steps.length + 1);
      const { bytes: left, marks } = disk.crash(at, numbers);
      const committed = [...marks.join('').matchAll(/committed\|(\d+)/g)].length;
      const directory = mkdtempSync(join(tmpdir(), 'stubdom-crash-'));
      try {
        await dumpFiles(await repaired(left), ['bank.db', 'bank.db-journal'], directory);
        const said = await hostSays(context, join(directory, 'bank.db'), check);
        assertWhole(said, committed, `seed ${seed}, step ${at}`);
      } finally {
        rmSync(directory, { recursive: true });
      }
    }
  },
);

function assertWhole(said: string, committed: number, where: string): void {
  if (committed === 0 && /no such table/.test(said)) return;
  const [, whole, count, sum] = /^ok\n(\d?)\|(\d+)\|(-?\d*)$/.exec(said) ?? [];
  assert.ok(whole !== undefined, `${where}: ${said}`);
  const isExpected = Number(count) === committed || Number(count) === committed + 1;
  assert.ok(isExpected, `${where}: ${count} transactions, of ${committed} that were committed`);
  if (Number(count) > 0) assert.equal([whole, sum], ['1', '0'], where);
}

async function recoverInGuest({ bench, program }: Context, directory: string): Promise<void> {
  const folder = openFolder(directory);
  try {
    const guest = await bench.runGuest(program, 64, {
      arguments: ['/export/bank.db', 'PRAGMA integrity_check;'],
      folders: [{ at: '/export', folder, isReadOnly: false }],
    });
    assert.is(guest.output.toString(), 'ok\n');
  } finally {
    folder.close();
  }
}

shell.run();
