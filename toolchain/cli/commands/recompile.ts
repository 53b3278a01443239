/** `stubdom recompile`: translates an image ahead of time, checked by binaryen, for later runs. */
import { basename, resolve } from 'node:path';
import {
  FileModuleCache,
  moduleCacheDirectory,
  recompilerStamp,
} from '../../../runtime/host/node/module-cache.ts';
import { TranslationOutput } from '../../../runtime/host/node/translation-files.ts';
import { recompile as recompileImage } from '../../../runtime/machine.ts';
import type { ModuleCache } from '../../../runtime/recompiler/store/cache.ts';
import { type Progress, showProgress, silentProgress } from '../../progress.ts';
import { type Command, type Terminal, usageError } from '../command.ts';
import { readImage } from '../run-image.ts';
import { parseMemory } from './run.ts';

export const recompile: Command = {
  name: 'recompile',
  summary: 'Recompiles an image ahead of time, so that it starts at once.',
  usage: 'recompile [--memory 32M] [-o IMAGE.wasm] IMAGE',
  options: {
    memory: { type: 'string', default: '32M', help: 'guest memory of the runs to come' },
    output: {
      ...{ type: 'string', short: 'o' },
      help: 'write a file of its own, not the user’s cache; run finds it beside the image',
    },
  },

  async run(terminal, [image, ...rest], options) {
    if (image === undefined || rest.length > 0)
      throw usageError('recompile takes one IMAGE; try: stubdom recompile hello.elf');
    const memory = parseMemory(options.text('memory'));
    const output = options.optional('output');
    if (output !== undefined && resolve(output) === resolve(image))
      throw usageError(`recompile: -o ${output} is the image itself`);
    const cache = openOutput(terminal, output);
    const bytes = await readImage(image);
    const progress = showBar(terminal, image);
    const onProgress = (done: number, total: number): void =>
      progress.update(done / total, `${done} of ${total} functions`);
    try {
      const size = await recompileImage(bytes, { name: image, memory, cache, onProgress });
      progress.clear();
      terminal.stdout.write(`${image}: ${size.functions} functions, ${size.bytes} bytes of Wasm\n`);
      return 0;
    } catch (error) {
      progress.clear();
      throw error;
    }
  },
};

function openOutput(terminal: Terminal, output: string | undefined): ModuleCache {
  const stamp = recompilerStamp();
  if (output !== undefined) return new TranslationOutput(output, stamp);
  return new FileModuleCache(moduleCacheDirectory(), stamp, (line) => {
    terminal.stderr.write(`stubdom: ${line}\n`);
  });
}

/** On a terminal alone: elsewhere what a command writes on standard error is what went wrong. */
const showBar = ({ stderr }: Terminal, image: string): Progress =>
  stderr.isTTY ? showProgress(stderr, basename(image)) : silentProgress;
