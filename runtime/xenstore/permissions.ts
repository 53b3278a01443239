/** Permissions of a node (docs/misc/xenstore.txt): the first names its owner, and what all others may. */
import { XenError } from '../errors.ts';

export interface Permission {
  readonly domid: number;
  readonly read: boolean;
  readonly write: boolean;
  /** For a domain that was not there when it was written: a later one of that number does not inherit it. */
  readonly isIgnored?: true;
}

export type Right = 'read' | 'write';

/** Whose rights are asked for. */
export interface Subject {
  readonly domid: number;
  readonly isPrivileged: boolean;
  /** The domain that a device model serves: what that one may, it may. */
  readonly target: number | undefined;
}

const letters = {
  n: { read: false, write: false },
  r: { read: true, write: false },
  w: { read: false, write: true },
  b: { read: true, write: true },
} as const;

/** `r5`. The number is read as strtol reads it. */
export function parsePermission(text: string): Permission {
  const [, letter = '', number = ''] =
    /^([nrwb])\s*([+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+))$/.exec(text) ?? [];
  const isOctal = /^[+-]?0[0-9]/.test(number);
  const size = number.replace(/^[+-]/, '');
  const value = isOctal ? Number.parseInt(size, 8) : Number(size);
  if (letter === '' || Number.isNaN(value) || (isOctal && /[89]/.test(size)))
    throw new XenError('EINVAL', `xenstore: no permission: ${text}`);
  const domid = (number.startsWith('-') ? -value : value) >>> 0;
  return { domid, ...letters[letter as keyof typeof letters] };
}

export const formatPermission = ({ domid, read, write }: Permission): string =>
  `${read ? (write ? 'b' : 'r') : write ? 'w' : 'n'}${domid | 0}`;

export const ownerOf = (permissions: readonly Permission[]): number => permissions[0]?.domid ?? 0;

export const owns = ({ domid, isPrivileged, target }: Subject, owner: number): boolean =>
  isPrivileged || owner === domid || owner === target;

export function may(subject: Subject, permissions: readonly Permission[], right: Right): boolean {
  const { domid, target } = subject;
  if (owns(subject, ownerOf(permissions))) return true;
  const own = permissions.find(
    (p, i) => i > 0 && p.isIgnored !== true && (p.domid === domid || p.domid === target),
  );
  return (own ?? permissions[0])?.[right] ?? false;
}
