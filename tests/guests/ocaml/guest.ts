/**
 * A test's program as a guest, in whose tree `/test` is the test's directory. As a process of its own, for scripts that run it:
 * `node dist/tests/guests/ocaml/guest.js IMAGE DIRECTORY [ARGUMENT…]`; an interrupt of that process is a Ctrl-C on the guest's console.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openFolder } from '../../../runtime/host/node/host-folder.ts';
import { FileModuleCache, recompilerStamp } from '../../../runtime/host/node/module-cache.ts';
import { boot, MemoryConsole } from '../../../runtime/index.ts';
import type { ModuleCache } from '../../../runtime/recompiler/store/cache.ts';

export interface GuestRun {
  readonly image: string;
  readonly directory: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Of translations, for an image that is run again. */
  readonly cache?: ModuleCache;
}

export interface GuestEnd {
  readonly status: number;
  readonly text: string;
  readonly report: string | undefined;
}

/** Polls that no test needs, so that none runs for ever. */
const budget = 10_000_000_000;
/** Nor does one wait for ever, on however busy a machine. */
const longestMinutes = 30;

export async function runGuest(
  { image, directory, arguments: words, environment, cache }: GuestRun,
  console: MemoryConsole,
): Promise<GuestEnd> {
  const folder = openFolder(directory);
  try {
    const domain = await boot(new Uint8Array(readFileSync(image)), {
      ...{ budget, memory: 512 * 2 ** 20, arguments: words, environment, name: 'program' },
      ...{ console: console.guest, folders: [{ at: '/test', folder, isReadOnly: false }] },
      ...(cache === undefined ? {} : { cache }),
    });
    let late: string | undefined;
    const limit = setTimeout(() => {
      late = `not over after ${longestMinutes} minutes`;
      domain.stop();
    }, longestMinutes * 60_000);
    const { status, report } = await domain.exited;
    clearTimeout(limit);
    return { status, text: console.text.replaceAll('\r\n', '\n'), report: late ?? report };
  } finally {
    folder.close();
  }
}

/** A script's idea of how long a program takes to start is that of a native one. */
const startup = 4000;

async function main([image = '', directory = '', ...words]: readonly string[]): Promise<number> {
  const { OCAMLRUNPARAM = '' } = process.env;
  const console = new MemoryConsole({ isTerminal: true });
  process.on('SIGINT', () => setTimeout(() => console.write(new Uint8Array([3])), startup));
  const cache = new FileModuleCache(join(directory, 'translations'), recompilerStamp(), () => {});
  const run = { image, directory, arguments: words, environment: { OCAMLRUNPARAM }, cache };
  const { status, text, report } = await runGuest(run, console);
  process.stdout.write(text);
  if (report !== undefined) process.stderr.write(`${report}\n`);
  return status;
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
)
  process.exitCode = await main(process.argv.slice(2));
