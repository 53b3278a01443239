import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failed } from '../../../toolchain/debian/packages.ts';
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
