/** `--console 1,output=log.txt,input=answers.txt`: a console beside the first, with files behind it. */
import { UserError } from '../../../runtime/errors.ts';
import type { ConsoleFiles } from '../../../runtime/host/node/file-console.ts';
import { Settings } from './settings.ts';

export interface FileConsoleSpecification extends ConsoleFiles {
  /** Of device/console/N. */
  readonly id: number;
}

export function parseConsoleOption(text: string): FileConsoleSpecification {
  const [number = '', ...rest] = text.split(',');
  if (!/^[1-9]\d{0,3}$/.test(number))
    throw new UserError(
      `--console ${text}: expected N[,output=FILE][,input=FILE], such as 1,output=log.txt`,
    );
  const settings = new Settings(`--console ${text}`, rest);
  const [output, input] = [settings.one('output'), settings.one('input')];
  settings.finish('output, input');
  return { id: Number(number), output, input };
}
