/** `stubdom create`: a domain by a cfg file of xl's, started again where the file says so. */
import { readFile } from 'node:fs/promises';
import type { Ending } from '../../../runtime/domain/domain.ts';
import { UserError } from '../../../runtime/errors.ts';
import { type Command, usageError } from '../command.ts';
import { type DomainConfig, endKind, readConfig } from '../domain-config.ts';
import { runImage } from '../run-image.ts';
import { parseTrace } from '../trace-option.ts';
import { parseCfg } from '../xl-cfg.ts';

export const create: Command = {
  name: 'create',
  summary: 'Boots the domain of an xl cfg file on this terminal, as `run` does an image.',
  usage: 'create [--trace WHAT,…] [--save FILE] FILE.cfg [KEY=VALUE]…',
  options: {
    trace: {
      type: 'string',
      help: 'hypercall,xenstore,event,grant,blk,net,fs: print these on standard error, a line each',
    },
    save: {
      type: 'string',
      help: 'FILE: where SIGUSR2 suspends the domain to, which ends then; `restore` goes on with it',
    },
  },

  async run(terminal, [file, ...added], options) {
    if (file === undefined) throw usageError('no FILE.cfg given; try: stubdom create guest.cfg');
    const wrong = added.find((words) => !words.includes('='));
    if (wrong !== undefined)
      throw usageError(`create: ${wrong}: expected KEY=VALUE, as it would stand in ${file}`);
    const trace = options.optional('trace');
    const categories = trace === undefined ? {} : { trace: parseTrace(trace) };
    const config = readConfig(parseCfg(await readCfg(file), file, added), file);
    return await runImage(terminal, {
      ...{ image: config.kernel, name: config.name, arguments: [], environment: {} },
      ...{ memory: config.memory, commandLine: config.commandLine, ramdisk: config.ramdisk },
      ...{
        disks: config.disks,
        networks: config.networks,
        p9: config.p9,
        displays: config.displays,
        consoles: config.consoles,
        ...categories,
      },
      save: options.optional('save'),
      restarts: (ending) => restarts(config, ending),
    });
  },
};

function restarts({ actions }: DomainConfig, ending: Ending): boolean {
  const kind = endKind(ending);
  return kind !== undefined && actions[kind] === 'restart';
}

async function readCfg(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new UserError(`${file}: ${reasons[code ?? ''] ?? message}`, { cause });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'a directory, not a cfg file',
  EACCES: 'may not be read',
};
