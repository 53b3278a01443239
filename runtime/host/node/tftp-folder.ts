/** A folder whose files are served by TFTP: nothing outside of it, whatever links lie in it. */

import { statSync } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { UserError } from '../../errors.ts';
import type { TftpFiles } from '../../network/tftp-server.ts';

/** Larger files do not fit into a guest that boots by TFTP. */
const mostBytes = 256 * 2 ** 20;

export class TftpFolder implements TftpFiles {
  readonly #folder: string;

  constructor(folder: string) {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
      throw new UserError(`${folder}: no such folder to serve by TFTP`);
    this.#folder = folder;
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    try {
      const root = await realpath(this.#folder);
      const path = await realpath(join(root, name));
      if (!path.startsWith(root + sep)) return undefined;
      const file = await open(path);
      try {
        const status = await file.stat();
        if (!status.isFile() || status.size > mostBytes) return undefined;
        return new Uint8Array(await file.readFile());
      } finally {
        await file.close();
      }
    } catch (error) {
      if (error instanceof Error && 'code' in error) return undefined;
      throw error;
    }
  }
}
