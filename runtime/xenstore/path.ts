/** Paths of xenstore (docs/misc/xenstore.txt), and which of them a client may use. */
import { XenError } from '../errors.ts';

export const parentOf = (path: string): string => {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
};

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export const childOf = (path: string, name: string): string =>
  path === '/' ? `/${name}` : `${path}/${name}`;

/** Is it the place itself, or below it? */
export const isAtOrBelow = (path: string, place: string): boolean =>
  place === '/' || path === place || (path.startsWith(place) && path[place.length] === '/');

export const domainPath = (domid: number): string => `/local/domain/${domid}`;

/** What a client means by a path that does not begin with a slash. Special ones stay as they are. */
export const absolute = (path: string, domid: number): string =>
  path.startsWith('/') || path.startsWith('@') ? path : `${domainPath(domid)}/${path}`;

const form = /^\/(?:[A-Za-z0-9\-_@]+(?:\/[A-Za-z0-9\-_@]+)*)?$/;

/** Below a domain's own directory the length counts from there. */
export function isValidPath(path: string, longest: number): boolean {
  if (path.length > longest + (/^\/local\/domain\/\d{1,5}\//.exec(path)?.[0].length ?? 0))
    return false;
  return form.test(path);
}

export function checkPath(path: string, longest: number): void {
  if (!isValidPath(path, longest)) throw new XenError('EINVAL', `xenstore: no path: ${path}`);
}
