/** Translations as files beside an image, in front of the cache. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  TranslationFiles,
  TranslationOutput,
  translationsBeside,
} from '../../../../runtime/host/node/translation-files.ts';
import { ByteEmitter } from '../../../../runtime/recompiler/emit/byte-emitter.ts';
import type { ModuleCache } from '../../../../runtime/recompiler/store/cache.ts';
import { encode } from '../../../../runtime/recompiler/store/kept-translation.ts';

const files = suite<{ directory: string }>('runtime/host/node/translation-files');

files.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-files-'));
});
files.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

const image = new ByteEmitter(1).finish();
const kept = (...modules: readonly Uint8Array[]): Uint8Array =>
  encode({
    ...{
      dispatcher: Uint8Array.of(1),
      flags: undefined,
      recipes: [],
      exactFloats: false,
      isWhole: true,
    },
    modules: modules.map((bytes) => ({ bytes, functions: [] })),
  });

const cacheOf = (found?: Uint8Array): ModuleCache => ({
  get: () => Promise.resolve(found),
  put: () => Promise.resolve(),
});

files('beside hello.elf lie hello.elf.wasm and hello.wasm', () => {
  assert.equal(translationsBeside('/a/hello.elf'), ['/a/hello.elf.wasm', '/a/hello.wasm']);
  assert.equal(translationsBeside('hello'), ['hello.wasm']);
  assert.equal(translationsBeside('a.b/hello'), ['a.b/hello.wasm']);
  assert.equal(translationsBeside('hello.wasm'), ['hello.wasm.wasm']);
});

files('a file that fits is taken, and what a run added to it', async ({ directory }) => {
  const path = join(directory, 'x.wasm');
  await new TranslationOutput(path, 'v1').put('abc', kept(image));
  const refused: string[] = [];
  const open = (found?: Uint8Array): TranslationFiles =>
    new TranslationFiles([path], 'v1', cacheOf(found), (line) => refused.push(line));
  const grown = kept(image, Uint8Array.of(7));

  assert.equal(await open().get('abc'), kept(image));
  assert.equal(await open(grown).get('abc'), grown);
  assert.equal(await open(kept(Uint8Array.of(7), image)).get('abc'), kept(image));
  assert.equal(refused, []);
});

files('what does not fit is told with its reason, and the cache asked', async ({ directory }) => {
  const path = join(directory, 'x.wasm');
  await new TranslationOutput(path, 'v1').put('abc', kept(image));
  const text = join(directory, 'text.wasm');
  writeFileSync(text, 'text');
  const missing = join(directory, 'missing.wasm');
  const ask = async (file: string, stamp: string, key: string): Promise<string> => {
    let told = '';
    const cache = new TranslationFiles([file], stamp, cacheOf(Uint8Array.of(9)), (line) => {
      told += line.slice(directory.length + 1);
    });
    assert.equal(await cache.get(key), Uint8Array.of(9));
    return told.replace('; going on without it', '');
  };

  assert.is(await ask(path, 'v2', 'abc'), 'x.wasm: made by another version of the recompiler');
  assert.match(await ask(path, 'v1', 'abd'), /^x\.wasm: made from another image/);
  assert.is(await ask(text, 'v1', 'abc'), 'text.wasm: not a WebAssembly module');
  assert.is(await ask(missing, 'v1', 'abc'), 'missing.wasm: cannot be read (ENOENT)');
});

files('a file that cannot be written is an error', async ({ directory }) => {
  const output = new TranslationOutput(join(directory, 'none/x.wasm'), 'v1');

  const failed = await output.put('abc', kept(image)).catch(({ message }: Error) => message);

  assert.match(String(failed), /none\/x\.wasm: cannot be written \(ENOENT\)$/);
});

files.run();
