/**
 * The Open POSIX Test Suite of Debian's posixtestsuite: conformance/interfaces, a folder a function, of the functions that applications
 * are to have. It is unpacked into the cache when a test asks for it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchDebianSource } from '../../../toolchain/index.ts';
import { readExceptions } from '../../support/exceptions.ts';

/** Folders of functions that no application is to have: asynchronous I/O, message queues, shared memory, locked memory, other processes. */
const others = /^(aio_|lio_|mq_|shm_|m(un)?lock|fork$)/;

export interface Suite {
  readonly interfaces: string;
  readonly include: string;
  /** As `sigaction/1-1`, in order. */
  readonly tests: readonly string[];
}

export async function posixSuite(): Promise<Suite> {
  const tree = await fetchDebianSource('posixtestsuite');
  const interfaces = join(tree, 'conformance/interfaces');
  const tests = readdirSync(interfaces)
    .filter((name) => !others.test(name))
    .sort()
    .flatMap((name) => testsOf(join(interfaces, name)).map((test) => `${name}/${test}`));
  return { interfaces, include: join(tree, 'include'), tests };
}

/** NUMBER-NUMBER.c; those that are only to be compiled have another name. */
const testsOf = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /^\d+-\d+\.c$/.test(name))
    .map((name) => name.replace(/\.c$/, ''))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));

/** Applications are one process for ever, so what makes another cannot pass. */
export const needsProcess = ({ interfaces }: Suite, test: string): boolean =>
  /\b(fork|execl|execv|execvp|system)\s*\(/.test(
    readFileSync(join(interfaces, `${test}.c`), 'latin1').replace(/\/\*.*?\*\//gs, ''),
  );

/** From exceptions.txt: a test, then why it need not pass in a guest. */
export const exceptions = (): ReadonlyMap<string, string> =>
  readExceptions('guests/posix/exceptions.txt', /[a-z_]+\/\d+-\d+/, 'FUNCTION/TEST');
