/** `--fsif data=./files[:ro]`: a folder of the host that a guest reaches by fsif; xl's cfg files have no key for it. */
import { UserError } from '../../../runtime/errors.ts';
import { type NamedFolder, parseNamedFolder } from './named-folder.ts';

/** By the name that is in the store. */
export type ExportSpecification = NamedFolder;

export function parseExportOption(text: string): ExportSpecification {
  const folder = parseNamedFolder(text);
  if (folder === undefined)
    throw new UserError(`--fsif ${text}: expected NAME=FOLDER[:ro], such as data=./files`);
  return folder;
}
