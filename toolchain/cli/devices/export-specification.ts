/** `--fsif data=./files[:ro]`: a folder of the host that a guest reaches by fsif; xl's cfg files have no key for it. */
import { UserError } from '../../../runtime/errors.ts';

export interface ExportSpecification {
  /** In the store. */
  readonly name: string;
  readonly path: string;
  readonly isReadOnly: boolean;
}

export function parseExportOption(text: string): ExportSpecification {
  const [, name = '', path = '', mode] = /^([^=]*)=(.*?)(:r[ow])?$/.exec(text) ?? [];
  if (name === '' || path === '')
    throw new UserError(`--fsif ${text}: expected NAME=FOLDER[:ro], such as data=./files`);
  return { name, path, isReadOnly: mode === ':ro' };
}
