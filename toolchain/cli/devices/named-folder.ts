/** NAME=FOLDER, with `:ro` behind it where the guest may only read: what several options say of a folder of the host's. */

export interface NamedFolder {
  /** What stands in front; the options know what it may be. */
  readonly name: string;
  /** On the host. */
  readonly path: string;
  readonly isReadOnly: boolean;
}

/** Undefined where either is missing. */
export function parseNamedFolder(text: string): NamedFolder | undefined {
  const [, name = '', path = '', mode] = /^([^=]*)=(.*?)(:r[ow])?$/.exec(text) ?? [];
  return name === '' || path === '' ? undefined : { name, path, isReadOnly: mode === ':ro' };
}
