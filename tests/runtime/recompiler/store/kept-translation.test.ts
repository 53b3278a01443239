import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  decode,
  encode,
  type KeptTranslation,
  mainModuleOf,
} from '../../../../runtime/recompiler/store/kept-translation.ts';
import { random } from '../../../support/random.ts';

const test = suite('runtime/recompiler/store/kept-translation');

const kept: KeptTranslation = {
  dispatcher: Uint8Array.from([1, 2, 3]),
  flags: Uint8Array.from([6]),
  modules: [
    {
      bytes: Uint8Array.from([4, 5]),
      functions: [
        {
          name: 'f_1000',
          entry: 0x1000n,
          form: 'resumable',
          asked: 'fast',
          entries: [
            { address: 0x1000n, selector: 0 },
            { address: 0xffff_ffff_8000_0005n, selector: 7 },
          ],
          code: [
            { from: 0x1000n, to: 0x1003n },
            { from: 0xffff_ffff_8000_0000n, to: 0xffff_ffff_8000_0020n },
          ],
          tables: [{ from: 0x3000n, to: 0x3010n }],
          calls: [0x2000n],
        },
        {
          ...{ name: 'f_2000', entry: 0x2000n, form: 'fast', asked: 'fast' },
          ...{ entries: [], code: [], tables: [], calls: [] },
        },
      ],
    },
    {
      ...{ bytes: new Uint8Array(0), functions: [] },
      madeFrom: {
        code: [Uint8Array.of(0, 0x7f, 0xff), new Uint8Array(0)],
        runs: [{ lo: 0xffff_8000_0000_0000n, host: 0x11_0000 }],
      },
      isApart: true,
    },
  ],
  recipes: ['add 32 32', 'logic 8'],
  exactFloats: true,
  isWhole: true,
};

test('what is encoded is decoded, wherever in a buffer it lies', () => {
  const bytes = encode(kept);
  const elsewhere = new Uint8Array(bytes.length + 5);
  elsewhere.set(bytes, 5);

  assert.equal(decode(bytes), kept);
  assert.equal(decode(elsewhere.subarray(5)), kept);
});

test('the first module is found in its encoding, and none where there is none', () => {
  const bytes = encode(kept);
  const { from, to } = mainModuleOf(bytes) ?? { from: 0, to: 0 };

  assert.equal(bytes.slice(from, to), Uint8Array.from([4, 5]));
  assert.is(mainModuleOf(encode({ ...kept, modules: [] })), undefined);
  assert.is(mainModuleOf(bytes.subarray(0, from + 1)), undefined);
  assert.is(mainModuleOf(new Uint8Array(100).fill(255)), undefined);
});

test('an entry that is cut off anywhere is none', () => {
  const bytes = encode(kept);

  for (let length = 0; length < bytes.length; length++)
    assert.is(decode(bytes.subarray(0, length)), undefined, `${length} of ${bytes.length} bytes`);
});

test('damaged bytes throw nothing', () => {
  const bytes = encode(kept);
  const source = random(1);

  for (let i = 0; i < 5000; i++) {
    const damaged = bytes.slice();
    for (let n = 0; n <= source.below(3); n++)
      damaged[source.below(damaged.length)] = source.below(256);
    assert.not.throws(() => decode(damaged));
  }
});

test.run();
