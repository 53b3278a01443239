/** A database whose every moment says whether it is whole: accounts whose sum stays 0, and a row for each transaction. */
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { runProcess } from '../../toolchain/process.ts';

/** A row a transaction, and blobs that come and go, over the pages of two trees. */
export const bankWork = (setting: string, transactions: number): string => `
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

/** How many transactions the shell had told of. */
export const committedIn = (printed: string): number =>
  [...printed.matchAll(/committed\|(\d+)/g)].length;

/** A crash, and the folder of the bank.db that it has left. */
export interface CrashedBank {
  readonly directory: string;
  readonly committed: number;
  /** For whoever reads of a failure. */
  readonly where: string;
}

const mark = '@@ ';

/** What SQLite's shell is told, to say of each bank whether it is whole and how many transactions it has. */
export const bankQuestions = (directories: readonly string[]): string =>
  directories
    .map(
      (directory, index) => `.print ${mark}${index}
.open ${join(directory, 'bank.db')}
PRAGMA integrity_check;
SELECT 'tables', count(*) FROM sqlite_master;
SELECT max(n) = count(*), count(*), (SELECT sum(balance) FROM account) FROM done;
`,
    )
    .join('');

/** Before the first transaction: some of the tables, no rows, and a shell that may find no table to ask. */
const isEmpty = (said: string): boolean =>
  /^ok\ntables\|[0-3]\n(\|0\|0?\n|Parse error near line \d+: no such table: \w+\n)?$/.test(said);

/** All that was committed is there, and of what followed at most the one transaction that was not told of yet. */
export function assertBanks(printed: string, banks: readonly CrashedBank[], errors = ''): void {
  const answers = printed.split(mark).slice(1);
  assert.is(answers.length, banks.length, `${printed.slice(-1000)}${errors}`);
  for (const [index, { committed, where }] of banks.entries()) {
    const said = (answers[index] ?? '').replace(`${index}\n`, '');
    if (committed === 0 && isEmpty(said)) continue;
    const [, count] = /^ok\ntables\|3\n1\|(\d+)\|0\n$/.exec(said) ?? [];
    const isExpected = Number(count) === committed || Number(count) === committed + 1;
    assert.ok(isExpected, `${where}: ${committed} were committed, and there is ${said}${errors}`);
  }
}

/** A shell of SQLite's on this machine looks at them all. */
export async function lookAtBanks(sqlite3: string, banks: readonly CrashedBank[]): Promise<void> {
  const input = bankQuestions(banks.map(({ directory }) => directory));
  const { stdout, stderr } = await runProcess(sqlite3, ['-batch'], { input });
  assertBanks(stdout, banks, stderr);
}
