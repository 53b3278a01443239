/** Packages of npm's registry as sources for tests: fetched once into the user's cache, unpacked, nothing of them run. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeOnce } from '../../toolchain/cache.ts';
import { cacheDirectory } from '../../toolchain/index.ts';
import { runProcess } from '../../toolchain/process.ts';

/** Directory of the package's files below `part`; npm checks the tar against the registry's hash. */
export async function fetchNpmPackage(
  name: string,
  version: string,
  part: string,
): Promise<string> {
  const directory = join(cacheDirectory(), 'npm', `${name}-${version}`);
  if (!existsSync(directory))
    await makeOnce(directory, (temporary) => fill(temporary, `${name}@${version}`, part));
  return join(directory, part);
}

async function fill(temporary: string, spec: string, part: string): Promise<void> {
  const download = join(temporary, 'download');
  mkdirSync(download);
  await must('npm', ['pack', spec, '--ignore-scripts', '--silent'], download);
  const [tar = ''] = readdirSync(download);
  const words = ['-xf', join(download, tar), '-C', temporary, '--strip-components=1'];
  await must('tar', [...words, `package/${part}`], temporary);
  rmSync(download, { recursive: true });
}

async function must(command: string, words: readonly string[], cwd: string): Promise<void> {
  const { status, stdout, stderr } = await runProcess(command, words, { cwd });
  if (status === 0) return;
  const said = `${stderr}\n${stdout}`.trim().split('\n')[0];
  throw new Error(`${command} ${words.join(' ')}: exit status ${status}: ${said}`);
}
