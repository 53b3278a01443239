import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  convert,
  ownFormat,
  readFormat,
  writeFormat,
} from '../../../runtime/display/pixel-format.ts';

const test = suite('runtime/display/pixel-format');

const pixels = Uint8Array.of(255, 128, 0, 255, 0, 0, 255, 255);

test('what is written is read again', () => {
  assert.equal(readFormat(writeFormat(ownFormat)), ownFormat);
});

test('pixels become what the viewer asked for', () => {
  assert.equal([...convert(pixels, ownFormat)], [0, 128, 255, 0, 255, 0, 0, 0]);
  const big = { ...ownFormat, isBigEndian: true };
  assert.equal([...convert(pixels, big)], [0, 255, 128, 0, 0, 0, 0, 255]);
  const high = {
    bitsPerPixel: 16,
    isBigEndian: false,
    max: [31, 63, 31],
    shift: [11, 5, 0],
  } as const;
  assert.equal([...convert(pixels, high)], [0x00, 0xfc, 0x1f, 0x00]);
  const low = { bitsPerPixel: 8, isBigEndian: false, max: [7, 7, 3], shift: [0, 3, 6] } as const;
  assert.equal([...convert(pixels, low)], [0b00_100_111, 0b11_000_000]);
});

test('indexed colours cannot be had', () => {
  const indexed = writeFormat({ ...ownFormat, bitsPerPixel: 8 });
  indexed[3] = 0;
  assert.is(readFormat(indexed), undefined);
  assert.is(readFormat(new Uint8Array(16).fill(9)), undefined);
});

test.run();
