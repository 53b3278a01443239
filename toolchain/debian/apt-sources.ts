/** The machine's own apt sources, both formats (sources.list(5)), and from them the lines of a private list. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../runtime/errors.ts';

export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** Keyring file, or a key as deb822 embeds it. */
  readonly signedBy: string | undefined;
}

/** Reads /etc/apt/sources.list and sources.list.d beneath `root`. */
export function machineSources(root = '/'): AptSource[] {
  const directory = join(root, 'etc/apt/sources.list.d');
  const files = [
    join(root, 'etc/apt/sources.list'),
    ...(existsSync(directory)
      ? readdirSync(directory)
          .sort()
          .map((name) => join(directory, name))
      : []),
  ];
  return files
    .filter((file) => existsSync(file))
    .flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      if (file.endsWith('.sources')) return parseDeb822(text);
      return file.endsWith('.list') ? parseOneLine(text) : [];
    });
}

export function parseOneLine(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (!match) return [];
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/.exec(options)?.[1];
    return [{ uri, suite, components: words(components), signedBy }];
  });
}

export function parseDeb822(text: string): AptSource[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const fields = deb822Fields(paragraph);
    const field = (name: string) => fields.get(name) ?? '';
    if (!words(field('types')).includes('deb') || /^(no|false)$/i.test(field('enabled'))) return [];
    return words(field('uris')).flatMap((uri) =>
      words(field('suites')).map((suite) => ({
        uri,
        suite,
        components: words(field('components')),
        signedBy: field('signed-by') || undefined,
      })),
    );
  });
}

function deb822Fields(paragraph: string): Map<string, string> {
  const fields = new Map<string, string>();
  let last = '';
  for (const line of paragraph.split('\n')) {
    if (line.startsWith('#')) continue;
    const match = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line);
    if (match) {
      last = (match[1] ?? '').toLowerCase();
      fields.set(last, (match[2] ?? '').trim());
    } else if (last !== '' && /^\s+\S/.test(line)) {
      fields.set(last, `${fields.get(last)}\n${line}`);
    }
  }
  return fields;
}

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

/** The release's main suite (`bookworm`, not its updates), as deb822 for both binary and source packages. */
export function privateSources(sources: readonly AptSource[], codename: string): string {
  const chosen = sources.filter(
    ({ uri, suite, components }) =>
      suite === codename && components.includes('main') && /^(https?|file|mirror[^:]*):/.test(uri),
  );
  if (chosen.length === 0)
    throw new UserError(
      `apt: no source of ${codename} main in /etc/apt/sources.list or sources.list.d; add one to it`,
    );
  return chosen
    .map(({ uri, suite, components, signedBy }) =>
      [
        'Types: deb deb-src',
        `URIs: ${uri}`,
        `Suites: ${suite}`,
        `Components: ${components.join(' ')}`,
        ...(signedBy === undefined ? [] : [`Signed-By: ${signedBy}`]),
        '',
      ].join('\n'),
    )
    .join('\n');
}

/** VERSION_CODENAME of os-release(5). */
export function releaseCodename(root = '/'): string {
  const file = join(root, 'etc/os-release');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const codename = /^VERSION_CODENAME="?([\w.-]+)"?$/m.exec(text)?.[1];
  if (codename === undefined)
    throw new UserError(`${file} has no VERSION_CODENAME; Debian's packages are needed here`);
  return codename;
}
