/** A folder of the host that a domain image mounts by 9P: `--p9`, and `p9` of xl's cfg files (xl.cfg(5)). */
import { UserError } from '../../../runtime/errors.ts';
import { parseNamedFolder } from './named-folder.ts';
import { Settings } from './settings.ts';

export interface P9FolderSpecification {
  /** What the guest mounts it by. */
  readonly tag: string;
  readonly path: string;
  readonly isReadOnly: boolean;
}

export function parseP9Option(text: string): P9FolderSpecification {
  const folder = parseNamedFolder(text);
  if (folder === undefined)
    throw new UserError(`--p9 ${text}: expected TAG=FOLDER[:ro], such as share=./files`);
  const { name: tag, path, isReadOnly } = folder;
  return { tag, path, isReadOnly };
}

export function parseP9(text: string): P9FolderSpecification {
  const settings = new Settings(`p9 '${text}'`, text.split(','));
  const take = (name: string): string => settings.one(name) ?? '';
  const [tag = '', path = '', model = ''] = ['tag', 'path', 'security_model'].map(take);
  if (tag === '' || path === '') settings.refuse('tag and path must be given');
  if (model !== '' && model !== 'none')
    settings.refuse(`security_model=${model} is not supported, only none`);
  if (take('backend') !== '') settings.refuse('backend is not supported yet');
  settings.finish('tag, path, security_model');
  return { tag, path, isReadOnly: false };
}
