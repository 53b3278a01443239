/**
 * Consoles beside the first: `--console 1,output=log.txt,input=answers.txt` with files behind them, `--console 2,socket=PATH` with a
 * socket, and `channel` of xl's cfg files (xl.cfg(5)).
 */
import { UserError } from '../../../runtime/errors.ts';
import type { ConsoleFiles } from '../../../runtime/host/node/file-console.ts';
import { Settings } from './settings.ts';

export interface ConsoleOption extends ConsoleFiles {
  /** Of device/console/N. */
  readonly id: number;
  /** For the guest to read in the store. */
  readonly name: string | undefined;
  /** A path, in place of files. */
  readonly socket: string | undefined;
}

/** Each has a number of its own. */
export function parseConsoleOptions(texts: readonly string[]): ConsoleOption[] {
  const options = texts.map(parseConsoleOption);
  for (const [index, { id }] of options.entries())
    if (options.findIndex((other) => other.id === id) !== index)
      throw new UserError(`--console ${texts[index]}: ${id} is given twice`);
  return options;
}

export function parseConsoleOption(text: string): ConsoleOption {
  const [number = '', ...rest] = text.split(',');
  if (!/^[1-9]\d{0,3}$/.test(number))
    throw new UserError(
      `--console ${text}: expected N[,output=FILE][,input=FILE] or N,socket=PATH, such as 1,output=log.txt`,
    );
  const settings = new Settings(`--console ${text}`, rest);
  const [name, output, input] = ['name', 'output', 'input'].map((one) => settings.one(one));
  const socket = settings.one('socket');
  settings.finish('output, input, socket, name');
  if (socket !== undefined && (output ?? input) !== undefined)
    settings.refuse('a socket is in place of files');
  return { id: Number(number), name, output, input, socket };
}

/** An entry of `channel`; the first is device/console/1. */
export function parseChannel(text: string): Omit<ConsoleOption, 'id'> {
  const settings = new Settings(`channel '${text}'`, text.split(','));
  const [name, connection, path] = ['name', 'connection', 'path'].map((one) => settings.one(one));
  settings.finish('name, connection, path');
  if (connection?.toLowerCase() === 'pty')
    settings.refuse('connection=pty is not supported yet, only socket');
  if (connection?.toLowerCase() !== 'socket')
    settings.refuse(`connection=${connection ?? ''}: expected socket`);
  if (path === undefined) settings.refuse('path must be given, such as path=/tmp/channel');
  return { name, output: undefined, input: undefined, socket: path };
}
