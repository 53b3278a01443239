/** The module cache on a real file system. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  FileModuleCache,
  moduleCacheDirectory,
  recompilerStamp,
} from '../../../../runtime/host/node/module-cache.ts';

const cache = suite('runtime/host/node/module-cache');

async function inDirectory(
  use: (cache: FileModuleCache, directory: string, warnings: string[]) => Promise<void>,
): Promise<void> {
  const parent = mkdtempSync(join(tmpdir(), 'stubdom-cache-'));
  const directory = join(parent, 'modules');
  const warnings: string[] = [];
  try {
    await use(
      new FileModuleCache(directory, 'v1', (line) => warnings.push(line)),
      directory,
      warnings,
    );
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

const key = 'abc123';
const module = Uint8Array.of(0, 97, 115, 109, 1);

cache('what was put is got, by whoever asks', () =>
  inDirectory(async (cache, directory, warnings) => {
    assert.is(await cache.get(key), undefined);

    await cache.put(key, module);

    assert.equal(await new FileModuleCache(directory, 'v1', () => {}).get(key), module);
    assert.is(await new FileModuleCache(directory, 'v2', () => {}).get(key), undefined);
    assert.equal(readdirSync(directory), [`v1-${key}.module`]);
    assert.equal(warnings, []);
  }),
);

cache('an entry that was damaged anywhere, or cut off, is discarded', () =>
  inDirectory(async (cache, directory) => {
    await cache.put(key, module);
    const file = join(directory, `v1-${key}.module`);
    const good = readFileSync(file);

    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ 1;
      for (const bytes of [bad, good.subarray(0, at)]) {
        writeFileSync(file, bytes);
        assert.is(await cache.get(key), undefined);
        assert.equal(readdirSync(directory), []);
      }
    }
  }),
);

cache('a cache that cannot be written is told of once, and does no harm', () =>
  inDirectory(async (cache, directory, warnings) => {
    writeFileSync(directory, 'a file, where a directory should be');

    await cache.put(key, module);
    await cache.put(key, module);

    assert.is(await cache.get(key), undefined);
    assert.is(warnings.length, 1);
    assert.match(warnings[0] ?? '', /^the module cache .* cannot be written \(E\w+\); going on/);
  }),
);

cache('its place is the user’s own cache', () => {
  assert.is(moduleCacheDirectory({ STUBDOM_CACHE: '/a', XDG_CACHE_HOME: '/b' }), '/a/modules');
  assert.is(moduleCacheDirectory({ XDG_CACHE_HOME: '/b' }), '/b/stubdom/modules');
  assert.match(moduleCacheDirectory({}), /\/\.cache\/stubdom\/modules$/);
});

cache('the stamp changes with any file of the recompiler, however deep it lies', () => {
  const own = fileURLToPath(new URL('../../../../runtime', import.meta.url));
  const copy = mkdtempSync(join(tmpdir(), 'stubdom-stamp-'));
  try {
    cpSync(own, copy, { recursive: true });
    const before = recompilerStamp(copy);
    assert.is(recompilerStamp(copy), before);

    writeFileSync(join(copy, 'recompiler/lower/lower.js'), '// another rule');

    assert.is.not(recompilerStamp(copy), before);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});

cache.run();
