/**
 * Debian's packages without touching the machine's apt: a private tree in the cache with lists and archives of its own,
 * and a source list derived from the machine's mirror. apt checks signatures and hashes as always.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../runtime/errors.ts';
import { makeDirectory } from '../../runtime/host/node/make-directory.ts';
import { alone, cacheDirectory, makeOnce } from '../cache.ts';
import { type Finished, runProcess } from '../process.ts';
import { machineSources, privateSources, releaseCodename } from './apt-sources.ts';

const LISTS_LAST_MS = 24 * 60 * 60 * 1000;

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  /** Of Debian's; the machine's own, if not given. */
  readonly architecture?: 'i386' | undefined;
}

/** Directory of the unpacked upstream source (the .orig tar; Debian's patches are not applied). */
export async function fetchDebianSource(name: string, options: FetchOptions = {}): Promise<string> {
  return await fetchOnce('sources', name, options, async (temporary) => {
    await apt(['source', '--download-only', name], temporary, options);
    const tars = readdirSync(temporary).filter((file) => /\.tar\.\w+$/.test(file));
    const tar =
      tars.find((file) => /\.orig\.tar\.\w+$/.test(file)) ??
      tars.find((file) => !/\.(debian|orig-.*)\.tar\.\w+$/.test(file));
    if (tar === undefined)
      throw new UserError(`apt-get source ${name}: no source tar among its files`);
    const tree = join(temporary, 'tree');
    mkdirSync(tree);
    await must('tar', ['-xf', join(temporary, tar), '-C', tree, '--strip-components=1'], temporary);
    for (const file of tars) rmSync(join(temporary, file));
  });
}

/** Directory that holds what the binary package installs, as `usr/…`. */
export async function fetchDebianPackage(
  name: string,
  options: FetchOptions = {},
): Promise<string> {
  const kind = options.architecture === undefined ? 'packages' : `packages-${options.architecture}`;
  return await fetchOnce(kind, name, options, async (temporary) => {
    await apt(['download', name], temporary, options);
    const file = readdirSync(temporary).find((entry) => entry.endsWith('.deb'));
    if (file === undefined) throw new UserError(`apt-get download ${name}: no .deb came`);
    await must('dpkg-deb', ['-x', file, 'tree'], temporary);
    rmSync(join(temporary, file));
  });
}

/** What the archive says of a package (deb822(5)), by field; undefined where it has none of that name. */
export async function debianRecord(
  name: string,
  { signal, architecture }: FetchOptions = {},
): Promise<ReadonlyMap<string, string> | undefined> {
  const { options, lists } = privateTree(architecture);
  const run = (command: string, words: string[]) =>
    runProcess(command, [...options, '-q', ...words], { signal, env: aptEnvironment() });
  if (!isFresh(lists)) await update((words) => run('apt-get', words), lists, signal);
  const { status, stdout } = await run('apt-cache', ['show', '--no-all-versions', name]);
  if (status !== 0) return undefined;
  const fields = stdout.matchAll(/^([\w-]+): (.*)$/gm);
  return new Map([...fields].map(([, field = '', value = '']) => [field, value]));
}

async function fetchOnce(
  kind: string,
  name: string,
  { signal }: FetchOptions,
  fill: (temporary: string) => Promise<void>,
): Promise<string> {
  const directory = join(cacheDirectory(), kind, name);
  if (!existsSync(directory)) await makeOnce(directory, fill, { signal });
  return join(directory, 'tree');
}

async function apt(
  args: string[],
  cwd: string,
  { signal, architecture }: FetchOptions,
): Promise<void> {
  const { options, lists } = privateTree(architecture);
  const run = (words: string[]) =>
    runProcess('apt-get', [...options, '-q', ...words], { cwd, signal, env: aptEnvironment() });
  if (!isFresh(lists)) await update(run, lists, signal);
  let result = await run(args);
  if (result.status !== 0) {
    await update(run, lists, signal); // the mirror may have moved on
    result = await run(args);
  }
  if (result.status !== 0) throw failed(`apt-get ${args.join(' ')}`, result);
}

/** One process at a time, since apt does not wait for its lock; who has waited has the lists that came meanwhile. */
async function update(
  run: (words: string[]) => Promise<Finished>,
  lists: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const before = updatedAt(lists);
  const work = async (): Promise<void> => {
    if (updatedAt(lists) !== before) return;
    const result = await run(['update', '-o', 'APT::Update::Error-Mode=any']);
    if (result.status !== 0) throw failed('apt-get update', result);
    writeFileSync(join(lists, 'updated'), '');
  };
  await alone(`${lists}.lock`, work, { signal });
}

const isFresh = (lists: string): boolean => Date.now() - updatedAt(lists) < LISTS_LAST_MS;

/** Milliseconds since 1970; 0 where there are no lists yet. */
function updatedAt(lists: string): number {
  const stamp = join(lists, 'updated');
  return existsSync(stamp) ? statSync(stamp).mtimeMs : 0;
}

/** apt's options that keep it inside the tree (apt.conf(5), Dir and APT::Sandbox); another architecture has one of its own. */
function privateTree(architecture: string | undefined): { options: string[]; lists: string } {
  const tree = join(cacheDirectory(), architecture === undefined ? 'apt' : `apt-${architecture}`);
  const lists = join(tree, 'lists');
  for (const directory of [join(lists, 'partial'), join(tree, 'cache/archives/partial')])
    makeDirectory(directory);
  const list = join(tree, 'stubdom.sources');
  writeFileSync(list, privateSources(machineSources(), releaseCodename()));
  const settings = {
    'Dir::Etc::SourceList': list,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': lists,
    // What is installed counts as a version to prefer, and may be one that this list does not have.
    'Dir::State::Status': '/dev/null',
    'Dir::Cache': join(tree, 'cache'),
    'APT::Sandbox::User': process.getuid?.() === 0 ? 'root' : '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    ...(architecture === undefined
      ? {}
      : { 'APT::Architecture': architecture, 'APT::Architectures': architecture }),
  };
  return {
    options: Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    lists,
  };
}

export function aptEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
}

async function must(command: string, args: string[], cwd: string): Promise<void> {
  const result = await runProcess(command, args, { cwd });
  if (result.status !== 0) throw failed(`${command} ${args.join(' ')}`, result);
}

/** The tool's own first error line is the fact. */
export function failed(what: string, { status, stderr, stdout }: Finished): UserError {
  const said = `${stderr}\n${stdout}`.split('\n').filter((line) => line.trim() !== '');
  const line = said.find((text) => /^(E:|error|.*: error)/i.test(text)) ?? said[0] ?? 'no message';
  return new UserError(`${what}: exit status ${status}: ${line.trim()}`);
}
