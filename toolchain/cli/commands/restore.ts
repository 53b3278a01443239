/** `stubdom restore`: goes on with a domain that was saved, here or by xl, on this terminal. */
import { UserError } from '../../../runtime/errors.ts';
import type { Command } from '../command.ts';
import { parseDiskOption } from '../devices/disk-specification.ts';
import { parseNetOption } from '../devices/net-specification.ts';
import { parseP9Option } from '../devices/p9-specification.ts';
import { resumeImage } from '../run-image.ts';
import { parseTrace } from '../trace-option.ts';

export const restore: Command = {
  name: 'restore',
  summary: 'Goes on with a domain that `--save` or xl has saved; its devices are given anew.',
  usage:
    'restore [--disk xvda=FILE[:ro|:cow]]… [--net user[,…]]… [--p9 TAG=FOLDER[:ro]]… [--save FILE] [--trace WHAT,…] FILE',
  options: {
    disk: { type: 'string', multiple: true, help: 'NAME=FILE, as `run` takes it' },
    net: { type: 'string', multiple: true, help: 'user[,…], as `run` takes it' },
    p9: { type: 'string', multiple: true, help: 'TAG=FOLDER[:ro], as `run` takes it' },
    save: { type: 'string', help: 'FILE: where SIGUSR2 suspends it to again' },
    trace: {
      type: 'string',
      help: 'hypercall,xenstore,event,grant,blk,net: print these on standard error, a line each',
    },
  },

  async run(terminal, [image], options) {
    if (image === undefined)
      throw new UserError('no FILE given; try: stubdom restore guest.save, as run --save wrote it');
    const trace = options.optional('trace');
    return await resumeImage(terminal, {
      image,
      disks: options.list('disk').map(parseDiskOption),
      networks: options.list('net').map(parseNetOption),
      p9: options.list('p9').map(parseP9Option),
      save: options.optional('save'),
      ...(trace === undefined ? {} : { trace: parseTrace(trace) }),
    });
  },
};
