/** SQLite's shell, unchanged, on databases in folders: the host's own SQLite reads what it wrote, and no crash harms them. */
import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryDisk } from '../../runtime/backends/block/memory-disk.ts';
import { Ext2Folder } from '../../runtime/backends/ext2/ext2-folder.ts';
import type { MountedFolder } from '../../runtime/index.ts';
import type { Width } from '../../toolchain/index.ts';
import { runProcess } from '../../toolchain/process.ts';
import {
  assertBanks,
  bankQuestions,
  bankWork,
  type CrashedBank,
  committedIn,
  lookAtBanks,
} from '../support/bank.ts';
import { CrashingDisk } from '../support/crashing-disk.ts';
import { withExportedFolder } from '../support/exported-folder.ts';
import { dumpFiles, faultsOf, newExt2, repaired } from '../support/ext2-disk.ts';
import { isFull, type Program, Workbench } from '../support/program.ts';
import { freshSeed, type Random, random } from '../support/random.ts';
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
const modes = ['delete', 'truncate', 'persist', 'memory', 'wal', 'off'];

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

const seedText = 'PRAGMA page_size=1024; CREATE TABLE t(a); INSERT INTO t VALUES(1);';

/** What the guest does with a database of the host's: large enough for pages of their own, and one transaction is taken back. */
const grow = (place: string, mode: string): string => `
.open ${place}/${mode}.db
PRAGMA journal_mode=${mode};
CREATE TABLE big(data BLOB);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) INSERT INTO big SELECT zeroblob(i * 40) FROM n;
${mode === 'off' ? '' : 'BEGIN; DELETE FROM big; UPDATE t SET a = 0; ROLLBACK;'}
INSERT INTO t SELECT a + 1 FROM t;
DELETE FROM big WHERE length(data) < 400;
INSERT INTO t SELECT a + 1 FROM t;
`;

const grown =
  'PRAGMA journal_mode=delete; PRAGMA integrity_check; SELECT count(*), sum(a) FROM t; SELECT count(*), sum(length(data)) FROM big;';

for (const width of isFull ? ([64, 32] as const) : ([64] as const))
  shell(
    `x86-${width}: databases of the host’s in each journal mode, on a folder and a disk image, which the host reads again`,
    async (context) => {
      await withExportedFolder(async (directory, folders) => {
        for (const mode of modes) await hostSays(context, join(directory, `${mode}.db`), seedText);
        const disk = await diskWith(directory);
        const image = disk && new Ext2Folder(disk);
        const places = image ? ['/export', '/data'] : ['/export'];

        const guest = await context.bench.runGuest(context.program, width, {
          input: places.flatMap((at) => modes.map((mode) => grow(at, mode))).join(''),
          folders: [
            ...folders,
            ...(image ? [{ at: '/data', folder: image, isReadOnly: false }] : []),
          ],
        });
        await image?.unmount();

        assert.is(guest.output.toString(), places.map(() => `${modes.join('\n')}\n`).join(''));
        const left = [directory];
        if (disk) {
          assert.is(await faultsOf(disk.bytes), '');
          left.push(mkdtempSync(join(directory, 'disk-')));
          await dumpFiles(new Map([[left[1] ?? '', disk.bytes]]), modes.flatMap(filesOf));
        }
        for (const place of left)
          for (const mode of modes)
            assert.is(
              await hostSays(context, join(place, `${mode}.db`), grown),
              'delete\nok\n4|8\n41|49200',
              `${mode} in ${place}`,
            );
      });
    },
  );

const filesOf = (mode: string): string[] =>
  ['', '-journal', '-wal'].map((suffix) => `${mode}.db${suffix}`);

/** An ext2 disk with the directory's files, where this machine can make one. */
async function diskWith(directory: string): Promise<CrashingDisk | undefined> {
  const bytes = await newExt2(8000, '-d', directory);
  return bytes && new CrashingDisk(bytes);
}

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

const settings = {
  'journals that are deleted': 'PRAGMA synchronous=EXTRA;',
  'journals that are kept': 'PRAGMA journal_mode=PERSIST; PRAGMA synchronous=FULL;',
  'a write-ahead log':
    'PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=20; PRAGMA synchronous=FULL;',
} as const;

/** How many crashes are looked at by one process. */
const batch = 250;
/** One crash in so many is found by the guest's own SQLite first. */
const guestLooks = 10;

const losses = Object.entries(settings).flatMap(([name, setting]) =>
  ([64, 32] as const).map((width) => ({ name, setting, width })),
);

/** The first is what SQLite does if it is not told otherwise. */
for (const { name, setting, width } of losses.slice(0, isFull ? undefined : 1))
  shell(
    `x86-${width}: ${points} crashes, with ${name}: what was committed is there, and nothing else`,
    async (context) => {
      const folder = new VolatileFolder();
      const guest = await context.bench.runGuest(context.program, width, {
        arguments: ['-interactive', '/export/bank.db'],
        input: bankWork(setting, transactions),
        folders: [{ at: '/export', folder, isReadOnly: false }],
        onPrint: (bytes) => folder.mark(Buffer.from(bytes).toString()),
      });
      assert.is(guest.status, 0, guest.output.toString());
      const numbers = seeded(folder.steps.length);

      for (let first = 0; first < points; first += batch)
        await withExportedFolder(async (directory, folders) => {
          const banks: CrashedBank[] = [];
          for (let point = first; point < Math.min(points, first + batch); point++) {
            const at = numbers.r.below(folder.steps.length + 1);
            const place = join(directory, String(point));
            mkdirSync(place);
            const committed = committedIn(folder.crash(at, numbers.r, place).join(''));
            banks.push({ directory: place, committed, where: numbers.where(at) });
          }
          const found = banks.filter((_, n) => n % guestLooks === guestLooks - 1);
          await lookInGuest(context, { width, directory, folders }, found);
          await lookAtBanks(context.sqlite3, banks);
        });
    },
  );

/** The same on an image with a file system, which e2fsck mends first, as a person would; in the long tier, as it takes some minutes. */
const onImage = isFull ? shell : shell.skip;
if (!isFull)
  process.stdout.write('skipped: crashes of a disk image take some minutes; --full has them\n');
for (const width of [64, 32] as const)
  onImage(
    `x86-${width}: ${points} crashes of a disk image: e2fsck and SQLite find what was committed`,
    async (context) => {
      const bytes = await newExt2(2000, '-b', '1024');
      if (bytes === undefined) return;
      const disk = new CrashingDisk(bytes);
      const folder = new Ext2Folder(disk);
      const guest = await context.bench.runGuest(context.program, width, {
        arguments: ['-interactive', '/data/bank.db'],
        input: bankWork('PRAGMA synchronous=EXTRA;', transactions),
        folders: [{ at: '/data', folder, isReadOnly: false }],
        onPrint: (printed) => disk.mark(Buffer.from(printed).toString()),
      });
      assert.is(guest.status, 0, guest.output.toString());
      await folder.unmount();
      assert.is(await faultsOf(disk.bytes), '');
      const numbers = seeded(disk.steps.length);
      // The last is no crash.
      const moments = Array.from({ length: points - 1 }, () =>
        numbers.r.below(disk.steps.length + 1),
      );
      moments.sort((one, other) => one - other).push(disk.steps.length);

      for (let first = 0; first < points; first += batch)
        await withExportedFolder(async (directory) => {
          const crashes = moments.slice(first, first + batch).map((at, index) => {
            const { bytes, marks } = disk.crash(at, numbers.r);
            const committed = committedIn(marks.join(''));
            const place = join(directory, String(index));
            mkdirSync(place);
            return { bytes, bank: { directory: place, committed, where: numbers.where(at) } };
          });
          const mended = await repaired(crashes.map((crash) => crash.bytes));
          const banks = crashes.map(({ bank }) => bank);
          await dumpFiles(
            new Map(mended.map((image, index) => [banks[index]?.directory ?? '', image])),
            ['bank.db', 'bank.db-journal'],
          );
          const looked = mended.flatMap((image, index) =>
            index % guestLooks === 0 ? [mountedAt(`/export/${index}`, image)] : [],
          );
          const found = banks.filter((_, index) => index % guestLooks === 0);
          await lookInGuest(context, { width, directory, folders: looked }, found);
          await lookAtBanks(context.sqlite3, banks);
        });
    },
  );

const mountedAt = (at: string, image: Uint8Array): MountedFolder => ({
  ...{ at, isReadOnly: false },
  folder: new Ext2Folder(new MemoryDisk(image)),
});

/** Numbers of a new seed, which is printed, and what to say where a crash at a step has gone wrong. */
function seeded(steps: number): { r: Random; where: (at: number) => string } {
  const seed = freshSeed();
  process.stdout.write(`seed ${seed}, ${steps} steps\n`);
  return { r: random(seed), where: (at) => `seed ${seed}, step ${at}` };
}

interface Looking {
  readonly width: Width;
  readonly directory: string;
  readonly folders: readonly MountedFolder[];
}

/** Banks of a directory that is at /export there. */
async function lookInGuest(
  { bench, program }: Context,
  { width, directory, folders }: Looking,
  banks: readonly CrashedBank[],
): Promise<void> {
  const places = banks.map((bank) => bank.directory.replace(directory, '/export'));
  const guest = await bench.runGuest(program, width, { input: bankQuestions(places), folders });
  assertBanks(guest.output.toString(), banks);
}

shell.run();
