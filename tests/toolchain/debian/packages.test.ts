import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { debianRecord, failed } from '../../../toolchain/debian/packages.ts';
import { cacheDirectory, fetchDebianSource } from '../../../toolchain/index.ts';

const packages = suite('toolchain/debian/packages');

packages(
  'a Debian source comes unpacked, and the machine’s own apt is as before (network)',
  async () => {
    const before = aptState();

    const directory = await fetchDebianSource('lua5.4');

    assert.match(readFileSync(join(directory, 'src/lua.h'), 'utf8'), 'LUA_VERSION_MINOR\t"4"');
    assert.ok(directory.startsWith(cacheDirectory()));
    assert.equal(aptState(), before);
  },
);

packages('who asks at once for the first time waits for the lists of one (network)', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'stubdom-test-'));
  const { STUBDOM_CACHE: before } = process.env;
  process.env['STUBDOM_CACHE'] = cache;
  try {
    const records = await Promise.all(['bash', 'lua5.4', 'gcc'].map((name) => debianRecord(name)));

    const found = records.map((record) => record?.get('Package'));
    assert.equal(found, ['bash', 'lua5.4', 'gcc']);
  } finally {
    if (before === undefined) delete process.env['STUBDOM_CACHE'];
    else process.env['STUBDOM_CACHE'] = before;
    rmSync(cache, { recursive: true });
  }
});

packages('what fails says apt’s first error', () => {
  const stderr = 'W: slow\nE: Unable to locate package nope\nE: more\n';

  const error = failed('apt-get source nope', { status: 100, stdout: '', stderr });

  assert.is(
    error.message,
    'apt-get source nope: exit status 100: E: Unable to locate package nope',
  );
});

/** Names and times of the machine's sources and lists. */
function aptState(): string[] {
  return ['/etc/apt', '/etc/apt/sources.list.d', '/var/lib/apt/lists']
    .filter((directory) => existsSync(directory))
    .flatMap((directory) =>
      readdirSync(directory).map(
        (name) => `${directory}/${name} ${statSync(join(directory, name)).mtimeMs}`,
      ),
    );
}

packages.run();
