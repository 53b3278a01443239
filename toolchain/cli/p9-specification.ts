/** A folder of the host that a domain image mounts by 9P: `--p9`, and `p9` of xl's cfg files (xl.cfg(5)). */
import { UserError } from '../../runtime/errors.ts';

export interface P9FolderSpecification {
  /** What the guest mounts it by. */
  readonly tag: string;
  readonly path: string;
  readonly isReadOnly: boolean;
}

export function parseP9Option(text: string): P9FolderSpecification {
  const [, tag = '', path = '', mode] = /^([^=]*)=(.*?)(:r[ow])?$/.exec(text) ?? [];
  if (tag === '' || path === '')
    throw new UserError(`--p9 ${text}: expected TAG=FOLDER[:ro], such as share=./files`);
  return { tag, path, isReadOnly: mode === ':ro' };
}

export function parseP9(text: string): P9FolderSpecification {
  const settings = new Map(
    text.split(',').map((setting) => {
      const [name = '', ...value] = setting.split('=');
      return [name.trim(), value.join('=').trim()] as const;
    }),
  );
  const take = (name: string): string => {
    const value = settings.get(name) ?? '';
    settings.delete(name);
    return value;
  };
  const [tag = '', path = '', model = ''] = ['tag', 'path', 'security_model'].map(take);
  if (tag === '' || path === '') throw new UserError(`p9 '${text}': tag and path must be given`);
  if (model !== '' && model !== 'none')
    throw new UserError(`p9 '${text}': security_model=${model} is not supported, only none`);
  if (take('backend') !== '') throw new UserError(`p9 '${text}': backend is not supported yet`);
  const [unknown] = settings.keys();
  if (unknown !== undefined) throw new UserError(`p9 '${text}': no ${unknown}`);
  return { tag, path, isReadOnly: false };
}
