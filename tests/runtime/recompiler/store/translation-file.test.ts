/** Translations as files: WebAssembly to everybody else, and to us all that was kept, or nothing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ByteEmitter } from '../../../../runtime/recompiler/emit/byte-emitter.ts';
import { encode } from '../../../../runtime/recompiler/store/kept-translation.ts';
import {
  packTranslation,
  type TranslationFile,
  unpackTranslation,
} from '../../../../runtime/recompiler/store/translation-file.ts';

const test = suite('runtime/recompiler/store/translation-file');

const emptyModule = new ByteEmitter(1).finish();
const file: TranslationFile = {
  ...{ stamp: 'stamp', key: 'abc123' },
  encoded: encode({
    // So long that the section's length takes several bytes.
    dispatcher: new Uint8Array(300).fill(1),
    flags: Uint8Array.of(2),
    modules: [emptyModule, Uint8Array.of(3, 4)].map((bytes) => ({ bytes, functions: [] })),
    recipes: ['add 32 32'],
    exactFloats: false,
    isWhole: true,
  }),
};

const reason = (bytes: Uint8Array): Promise<string> =>
  unpackTranslation(bytes).then(
    () => 'none',
    ({ name, message }: Error) => `${name}: ${message}`,
  );

test('what is packed is a valid module, begins with the image’s, and is unpacked', async () => {
  const packed = await packTranslation(file);

  assert.ok(WebAssembly.validate(packed));
  assert.equal(packed.slice(0, emptyModule.length), emptyModule);
  assert.equal(await unpackTranslation(packed), file);
});

test('what is damaged anywhere, cut off or longer is told, and not taken', async () => {
  const packed = await packTranslation(file);

  for (let at = 0; at < packed.length; at++) {
    const bad = packed.slice();
    bad[at] = (bad[at] ?? 0) ^ 1;
    assert.match(await reason(bad), /^UserError: /, `byte ${at}`);
    assert.match(await reason(packed.subarray(0, at)), /^UserError: /, `${at} bytes`);
  }
  assert.match(await reason(Uint8Array.of(...packed, 0)), /^UserError: damaged or cut off/);
});

test('a file of others is told', async () => {
  const other = Uint8Array.of(...emptyModule, 0, 5, 4, 110, 97, 109, 101);

  assert.is(await reason(other), 'UserError: not a translation that stubdom recompile wrote');
  assert.is(await reason(Uint8Array.of(0x7f, 0x45)), 'UserError: not a WebAssembly module');
});

test('an image without code is told', async () => {
  const encoded = encode({
    ...{ dispatcher: new Uint8Array(), flags: undefined, modules: [], recipes: [] },
    exactFloats: false,
    isWhole: true,
  });

  const failed = await packTranslation({ ...file, encoded }).catch(({ message }: Error) => message);

  assert.is(failed, 'the image has no code to translate');
});

test.run();
