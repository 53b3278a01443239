/** `stubdom recompile`: translates an image ahead of time, checked by binaryen, for later runs. */
import {
  FileModuleCache,
  moduleCacheDirectory,
  recompilerStamp,
} from '../../../runtime/host/node/module-cache.ts';
import { recompile as recompileImage } from '../../../runtime/machine.ts';
import { type Command, usageError } from '../command.ts';
import { parseMemory, readImage } from './run.ts';

export const recompile: Command = {
  name: 'recompile',
  summary: 'Recompiles an image ahead of time, so that it starts at once.',
  usage: 'recompile [--memory 32M] IMAGE',
  options: {
    memory: { type: 'string', default: '32M', help: 'guest memory of the runs to come' },
  },

  async run(terminal, [image, ...rest], options) {
    if (image === undefined || rest.length > 0)
      throw usageError('recompile takes one IMAGE; try: stubdom recompile hello.elf');
    const memory = parseMemory(options.text('memory'));
    const cache = new FileModuleCache(moduleCacheDirectory(), recompilerStamp(), (line) => {
      terminal.stderr.write(`stubdom: ${line}\n`);
    });
    const bytes = await readImage(image);
    const size = await recompileImage(bytes, { name: image, memory, cache });
    terminal.stdout.write(`${image}: ${size.functions} functions, ${size.bytes} bytes of Wasm\n`);
    return 0;
  },
};
