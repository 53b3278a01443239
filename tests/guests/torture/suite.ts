/** gcc's execution torture tests from Debian's gcc-12-source, unpacked once into the cache, and what their comments ask of gcc. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeOnce } from '../../../toolchain/cache.ts';
import { cacheDirectory, fetchDebianPackage, type Width } from '../../../toolchain/index.ts';
import { runProcess } from '../../../toolchain/process.ts';
import { readExceptions } from '../../support/exceptions.ts';

const packageName = 'gcc-12-source';
const members = 'gcc/testsuite/gcc.c-torture/execute';

/** The directory with the tests. Of the package, which is a hundred times as large, nothing is kept. */
export async function tortureDirectory(): Promise<string> {
  const directory = join(cacheDirectory(), 'sources', 'gcc-torture');
  await makeOnce(directory, async (temporary) => {
    const tree = await fetchDebianPackage(packageName);
    const folder = join(tree, 'usr/src/gcc-12');
    const tar = readdirSync(folder).find((name) => /^gcc-12.*\.tar\.\w+$/.test(name));
    if (tar === undefined) throw new Error(`${packageName} has no tar of gcc's sources`);
    mkdirSync(join(temporary, 'execute'));
    const { status, stderr } = await runProcess('tar', [
      ...['-xf', join(folder, tar), '-C', join(temporary, 'execute')],
      ...['--strip-components=5', '--no-wildcards-match-slash', '--wildcards'],
      ...[`*/${members}/*.c`, `*/${members}/*.h`],
    ]);
    if (status !== 0) throw new Error(`tar -xf ${tar}: ${stderr}`);
    rmSync(dirname(tree), { recursive: true });
  });
  return join(directory, 'execute');
}

/** Every test by its file's name, in order. */
export const tortureTests = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.c'))
    .sort();

/** What DejaGnu's dg-options and dg-additional-options in a source give gcc; those of other targets are not ours. */
export function optionsOf(source: string, width: Width): string[] {
  const directive = /dg-(?:additional-)?options\s+\{?\s*"([^"]*)"\s*\}?(.*)/g;
  return [...source.matchAll(directive)].flatMap(([, words = '', rest = '']) =>
    isForUs(rest, width) ? words.split(' ').filter((word) => word !== '') : [],
  );
}

function isForUs(selector: string, width: Width): boolean {
  if (!selector.includes('target')) return true;
  if (selector.includes('fpic')) return true;
  return selector.includes('x86_64-*-*') && (width === 32 || !selector.includes('ia32'));
}

/** Natively such a test sees other headers than in a guest; every other one is the same object file in both worlds. */
export const hasHeaders = (source: string): boolean => /^\s*#\s*include/m.test(source);

/** From exceptions.txt: a test's file name, then why it need not pass in a guest. */
export const exceptions = (): ReadonlyMap<string, string> =>
  readExceptions('guests/torture/exceptions.txt', /\S+\.c/, 'NAME.c');
