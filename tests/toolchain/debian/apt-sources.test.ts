import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  machineSources,
  parseDeb822,
  parseOneLine,
  privateSources,
  releaseCodename,
} from '../../../toolchain/debian/apt-sources.ts';

const sources = suite('toolchain/debian/apt-sources');

const example = { uri: 'http://mirror.example/debian', components: ['main'] };

sources(
  'one-line sources give mirror, suite, components and keyring; comments and deb-src nothing',
  () => {
    const text = `# deb http://old.example/ woody main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib # note
deb-src http://mirror.example/debian bookworm main
`;

    const found = parseOneLine(text);

    assert.equal(found, [
      { ...example, suite: 'bookworm', components: ['main', 'contrib'], signedBy: '/k.gpg' },
    ]);
  },
);

sources('a deb822 paragraph is one source for each suite, unless it is disabled', () => {
  const text = `Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN-----
 .
 key

Types: deb
Enabled: no
URIs: http://off.example/
Suites: bookworm
Components: main
`;

  const found = parseDeb822(text);

  assert.equal(
    found.map(({ uri, suite }) => `${uri} ${suite}`),
    ['http://mirror.example/debian bookworm', 'http://mirror.example/debian bookworm-updates'],
  );
  assert.match(found[0]?.signedBy ?? '', '-----BEGIN-----\n .\n key');
});

sources('the private list is the release’s main suite alone, with sources', () => {
  const all = ['bookworm', 'bookworm-updates'].map((suite) => ({
    ...example,
    suite,
    signedBy: '/k.gpg',
  }));

  const text = privateSources(all, 'bookworm');

  assert.is(
    text,
    'Types: deb deb-src\nURIs: http://mirror.example/debian\nSuites: bookworm\nComponents: main\nSigned-By: /k.gpg\n',
  );
});

sources('a machine without such a source is told so', () => {
  assert.throws(() => privateSources([], 'bookworm'), /no source of bookworm main/);
});

sources('both formats are read from where apt reads them', () => {
  const root = mkdtempSync(join(tmpdir(), 'stubdom-test-'));
  mkdirSync(join(root, 'etc/apt/sources.list.d'), { recursive: true });
  writeFileSync(join(root, 'etc/os-release'), 'NAME=x\nVERSION_CODENAME=trixie\n');
  writeFileSync(join(root, 'etc/apt/sources.list'), 'deb http://a.example trixie main\n');
  writeFileSync(join(root, 'etc/apt/sources.list.d/b.list'), 'deb http://b.example trixie main');
  writeFileSync(
    join(root, 'etc/apt/sources.list.d/c.sources'),
    'Types: deb\nURIs: http://c.example\nSuites: trixie\nComponents: main\n',
  );
  writeFileSync(join(root, 'etc/apt/sources.list.d/d.save'), 'deb http://d.example trixie main');

  const found = machineSources(root).map(({ uri }) => uri);
  const codename = releaseCodename(root);
  rmSync(root, { recursive: true });

  assert.equal(found, ['http://a.example', 'http://b.example', 'http://c.example']);
  assert.is(codename, 'trixie');
});

sources.run();
