/**
 * Boots an image with its memory behind real page tables, as a process of its own: `paged-run.js 'in order'|scattered IMAGE
 * [WORD…]`. Prints what the guest prints, then a line of JSON: what the page tables cost.
 */
import { readFile } from 'node:fs/promises';
import { parseImage } from '../../runtime/elf/image.ts';
import { prepareEngine } from '../../runtime/host/node/engine.ts';
import { boot } from '../../runtime/index.ts';
import { pagedMapping } from '../support/paged-mapping.ts';

async function main([frames, path = '', ...words]: readonly string[]): Promise<number> {
  if (frames !== 'in order' && frames !== 'scattered')
    throw new TypeError(`${frames}: expected 'in order' or 'scattered'`);
  prepareEngine();
  const bytes = new Uint8Array(await readFile(path));
  const { width } = await parseImage(bytes, path);
  const mapping = pagedMapping(width, frames);
  const domain = await boot(bytes, { name: path, arguments: words, mapping, tier: 'adaptive' });
  const { status, report } = await domain.exited;
  process.stdout.write(`${domain.console.text}${JSON.stringify(domain.paging())}\n`);
  if (report !== undefined) process.stderr.write(`${report}\n`);
  return status;
}

process.exitCode = await main(process.argv.slice(2));
