/** `stubdom run`: boots an image on this terminal, and exits as the guest did. */
import { readFile } from 'node:fs/promises';
import { UserError } from '../../../runtime/errors.ts';
import { prepareEngine } from '../../../runtime/host/node/engine.ts';
import {
  FileModuleCache,
  moduleCacheDirectory,
  recompilerStamp,
} from '../../../runtime/host/node/module-cache.ts';
import { TerminalConsole } from '../../../runtime/host/node/terminal-console.ts';
import {
  TranslationFiles,
  translationsBeside,
} from '../../../runtime/host/node/translation-files.ts';
import { type BootedDomain, boot } from '../../../runtime/machine.ts';
import { mostGuestBytes } from '../../../runtime/memory/machine-memory.ts';
import type { ModuleCache } from '../../../runtime/recompiler/store/cache.ts';
import type { Command, Terminal } from '../command.ts';

export interface RunOptions {
  readonly image: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly memory: number;
  /** A file that `recompile -o` wrote; if not given, one beside the image that fits. */
  readonly translation?: string | undefined;
}

export const run: Command = {
  name: 'run',
  summary: 'Boots an image on this terminal; Ctrl-] leaves it. Exits with the guest’s status.',
  usage:
    'run [--memory 32M] [--env NAME=VALUE]… [--translation IMAGE.wasm] IMAGE [-- GUEST-ARGUMENT…]',
  options: {
    memory: { type: 'string', default: '32M', help: 'guest memory: a number with K, M or G' },
    env: { type: 'string', multiple: true, help: 'NAME=VALUE: a variable of the guest' },
    translation: {
      type: 'string',
      help: 'what recompile -o wrote; IMAGE.wasm beside the image is found without',
    },
  },

  async run(terminal, [image, ...guestArguments], options) {
    if (image === undefined)
      throw new UserError('no IMAGE given; try: stubdom run examples/hello-c/hello-64.elf');
    const memory = parseMemory(options.text('memory'));
    const environment = Object.fromEntries(options.list('env').map(parseVariable));
    const translation = options.optional('translation');
    return await runImage(terminal, {
      ...{ image, arguments: guestArguments, environment, memory, translation },
    });
  },
};

/** Runs an image to its end; the exit status. */
export async function runImage(terminal: Terminal, options: RunOptions): Promise<number> {
  prepareEngine();
  const { image, memory, environment } = options;
  const bytes = await readImage(image);
  const cache = openCache(terminal, image, options.translation);
  let domain: BootedDomain | undefined;
  const console = new TerminalConsole(terminal, () => domain?.stop());
  try {
    domain = await boot(bytes, {
      ...{ name: image, arguments: options.arguments, environment, memory, console, cache },
    });
    const { status, report } = await domain.exited;
    await console.flush();
    console.close();
    if (report !== undefined) terminal.stderr.write(`${report}\n`);
    return status;
  } finally {
    console.close();
  }
}

function openCache(terminal: Terminal, image: string, named: string | undefined): ModuleCache {
  const stamp = recompilerStamp();
  const tell = (line: string): void => void terminal.stderr.write(`stubdom: ${line}\n`);
  const cache = new FileModuleCache(moduleCacheDirectory(), stamp, tell);
  // Who named no file need not hear of one that happens to lie there.
  return named === undefined
    ? new TranslationFiles(translationsBeside(image), stamp, cache, () => {})
    : new TranslationFiles([named], stamp, cache, tell);
}

export async function readImage(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new UserError(`${path}: ${reasons[code ?? ''] ?? message}`, { cause });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'a directory, not an image',
  EACCES: 'may not be read',
};

const units: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
const page = 4096;

export function parseMemory(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([KMG]?)$/i.exec(text) ?? [];
  if (digits === undefined)
    throw new UserError(`--memory ${text}: expected a number with K, M or G, such as 32M`);
  const bytes = Number(digits) * (units[unit.toUpperCase()] ?? 1);
  if (bytes < page) throw new UserError(`--memory ${text}: too little; 1M is the least of any use`);
  if (bytes > mostGuestBytes)
    throw new UserError(
      `--memory ${text}: too much; the most is ${Math.floor(mostGuestBytes / 2 ** 20)}M`,
    );
  return Math.floor(bytes / page) * page;
}

function parseVariable(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UserError(`--env ${text}: expected NAME=VALUE, such as HOME=/`);
  return [text.slice(0, at), text.slice(at + 1)];
}
