/** `stubdom run`: boots an image on this terminal, and exits as the guest did. */
import { UserError } from '../../../runtime/errors.ts';
import { mostGuestBytes } from '../../../runtime/memory/machine-memory.ts';
import type { Command } from '../command.ts';
import { parseConsoleOptions } from '../devices/console-specification.ts';
import { parseDiskOption } from '../devices/disk-specification.ts';
import { type DisplaySpecification, parseVncOption } from '../devices/display-specification.ts';
import { parseExportOption } from '../devices/export-specification.ts';
import { parseFolderOption } from '../devices/folder-specification.ts';
import { parseNetOption } from '../devices/net-specification.ts';
import { parseP9Option } from '../devices/p9-specification.ts';
import { runImage } from '../run-image.ts';
import { parseTrace } from '../trace-option.ts';

export const run: Command = {
  name: 'run',
  summary: 'Boots an image on this terminal; Ctrl-] leaves it. Exits with the guest’s status.',
  usage: `run [--memory 32M] [--disk xvda=FILE[:ro|:cow]]… [--net user[,…]]… [--p9 TAG=FOLDER[:ro]]… [--vnc :0]…
    [--screenshot FILE.png]… [--console N[,output=FILE][,input=FILE][,socket=PATH]]… [--cmdline TEXT] [--ramdisk FILE] [--save FILE]
    [--fs /PLACE=FOLDER-OR-IMAGE[:ro|:cow]]… [--fsif NAME=FOLDER[:ro]]… [--env NAME=VALUE]… [--translation IMAGE.wasm] [--trace WHAT,…]
    IMAGE [-- GUEST-ARGUMENT…]`,
  options: {
    memory: { type: 'string', default: '32M', help: 'guest memory: a number with K, M or G' },
    disk: {
      type: 'string',
      multiple: true,
      help: 'NAME=FILE: a raw file, or FILE.qcow2, as a disk, written to; :ro: only read; :cow: writes are forgotten',
    },
    net: {
      type: 'string',
      multiple: true,
      help: 'user[,forward=8080:80][,outside][,restrict][,tftp=FOLDER][,capture=FILE.pcapng][,mac=…]: a network interface',
    },
    p9: {
      type: 'string',
      multiple: true,
      help: 'TAG=FOLDER[:ro]: a folder for the guest to mount by 9P',
    },
    vnc: {
      type: 'string',
      multiple: true,
      help: '[ADDRESS]:DISPLAY: a screen, keyboard and pointer, by VNC; the second time a second screen',
    },
    screenshot: {
      type: 'string',
      multiple: true,
      help: 'FILE.png: what the screen shows at the end; the second time, the second screen',
    },
    console: {
      type: 'string',
      multiple: true,
      help: 'N[,output=FILE][,input=FILE], or N,socket=PATH: a console beside the first, from 1 on, with files or a socket behind it',
    },
    fs: {
      type: 'string',
      multiple: true,
      help: '/PLACE=FOLDER, or a disk image with ext2, in an application’s tree; :ro: only read; :cow: writes are forgotten',
    },
    fsif: {
      type: 'string',
      multiple: true,
      help: 'NAME=FOLDER[:ro]: a folder for Mini-OS’s file system front-end',
    },
    cmdline: { type: 'string', help: 'the command line of a domain image' },
    ramdisk: { type: 'string', help: 'a file for a domain image to find in its memory' },
    save: {
      type: 'string',
      help: 'FILE: where SIGUSR2 suspends a domain image to, which ends then; `restore` goes on with it',
    },
    env: { type: 'string', multiple: true, help: 'NAME=VALUE: a variable of the guest' },
    translation: {
      type: 'string',
      help: 'what recompile -o wrote; IMAGE.wasm beside the image is found without',
    },
    trace: {
      type: 'string',
      help: 'hypercall,xenstore,event,grant,blk,net,fs: print these on standard error, a line each',
    },
  },

  async run(terminal, [image, ...guestArguments], options) {
    if (image === undefined)
      throw new UserError('no IMAGE given; try: stubdom run examples/hello-c/hello-64.elf');
    const memory = parseMemory(options.text('memory'));
    const environment = Object.fromEntries(options.list('env').map(parseVariable));
    const trace = options.optional('trace');
    return await runImage(terminal, {
      ...{ image, arguments: guestArguments, environment, memory },
      translation: options.optional('translation'),
      commandLine: options.optional('cmdline'),
      ramdisk: options.optional('ramdisk'),
      disks: options.list('disk').map(parseDiskOption),
      networks: options.list('net').map(parseNetOption),
      p9: options.list('p9').map(parseP9Option),
      displays: displaysOf(options.list('vnc'), options.list('screenshot')),
      consoles: parseConsoleOptions(options.list('console')),
      save: options.optional('save'),
      exports: options.list('fsif').map(parseExportOption),
      folders: options.list('fs').map(parseFolderOption),
      ...(trace === undefined ? {} : { trace: parseTrace(trace) }),
    });
  },
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

/** The first of each are of the first screen. */
const displaysOf = (
  places: readonly string[],
  screenshots: readonly string[],
): DisplaySpecification[] =>
  Array.from({ length: Math.max(places.length, screenshots.length) }, (_, n) => {
    const place = places[n];
    return {
      vnc: place === undefined ? undefined : parseVncOption(place),
      screenshot: screenshots[n],
    };
  });

function parseVariable(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UserError(`--env ${text}: expected NAME=VALUE, such as HOME=/`);
  return [text.slice(0, at), text.slice(at + 1)];
}
