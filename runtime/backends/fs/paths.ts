/** Paths of fsif's requests, from the root of what is exported; links are followed within it, and nothing leads out of it. */
import { XenError } from '../../errors.ts';
import { type Folder, type FolderPath, isLink } from '../folder/folder.ts';

/** As Linux. */
const mostLinks = 40;
const mostNames = 4096;

const split = (text: string): string[] =>
  text.split('/').filter((name) => name !== '' && name !== '.');

/** `last`: whether a link at the end stands for what it leads to. What is not there is named all the same. */
export function resolve(folder: Folder, text: string, last: 'follow' | 'keep'): FolderPath {
  const left = split(text);
  let [place, links]: [string[], number] = [[], 0];
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    if (name === '..') {
      place.pop();
      continue;
    }
    place.push(name);
    const link = left.length === 0 && last === 'keep' ? undefined : linkAt(folder, place);
    if (link === undefined) continue;
    if (++links > mostLinks) throw new XenError('ELOOP', `${mostLinks} links, and ${name}`);
    place = link.startsWith('/') ? [] : place.slice(0, -1);
    left.unshift(...split(link));
    if (left.length > mostNames) throw new XenError('ENAMETOOLONG', 'links of links');
  }
  return place;
}

/** Its text; undefined where there is none, whatever is there. */
function linkAt(folder: Folder, path: FolderPath): string | undefined {
  try {
    return isLink(folder.status(path)) ? folder.readLink(path) : undefined;
  } catch (error) {
    if (error instanceof XenError && error.errno === 'ENOENT') return undefined;
    throw error;
  }
}
