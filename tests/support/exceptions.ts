/** Lists of tests that need not pass in a guest: a line each, NAME: REASON; empty lines and comments behind # aside. */
import { readFileSync } from 'node:fs';
import { testFile } from './program.ts';

/** From a test's name to the reason. `name` is the expression of a whole name, `shape` what a reader calls it. */
export function readExceptions(
  file: string,
  name: RegExp,
  shape: string,
): ReadonlyMap<string, string> {
  const lines = readFileSync(testFile(file), 'utf8').split('\n');
  const line = new RegExp(`^(${name.source}): (.+)$`);
  return new Map(
    lines
      .filter((text) => text !== '' && !text.startsWith('#'))
      .map((text) => {
        const [, test, reason] = line.exec(text) ?? [];
        if (test === undefined || reason === undefined)
          throw new Error(`${file}: ${JSON.stringify(text)} is not ${shape}: REASON`);
        return [test, reason] as const;
      }),
  );
}
