/** LEB128 as the WebAssembly core specification has it (5.2.2). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ByteWriter } from '../../../../runtime/recompiler/emit/byte-writer.ts';

const test = suite('runtime/recompiler/emit/byte-writer');

const written = (write: (w: ByteWriter) => void): number[] => {
  const w = new ByteWriter(1);
  write(w);
  return [...w.finished()];
};

test('unsigned numbers take seven bits a byte, lowest first', () => {
  assert.equal(
    written((w) => w.unsigned(0)),
    [0],
  );
  assert.equal(
    written((w) => w.unsigned(127)),
    [0x7f],
  );
  assert.equal(
    written((w) => w.unsigned(128)),
    [0x80, 0x01],
  );
  assert.equal(
    written((w) => w.unsigned(624485)),
    [0xe5, 0x8e, 0x26],
  );
  assert.equal(
    written((w) => w.unsigned(-1)),
    [0xff, 0xff, 0xff, 0xff, 0x0f],
  );
});

test('signed numbers end where the sign is told', () => {
  assert.equal(
    written((w) => w.signed32(63)),
    [0x3f],
  );
  assert.equal(
    written((w) => w.signed32(64)),
    [0xc0, 0x00],
  );
  assert.equal(
    written((w) => w.signed32(-64)),
    [0x40],
  );
  assert.equal(
    written((w) => w.signed32(-123456)),
    [0xc0, 0xbb, 0x78],
  );
  assert.equal(
    written((w) => w.signed64(-123456n)),
    [0xc0, 0xbb, 0x78],
  );
  assert.equal(
    written((w) => w.signed64(-(1n << 63n))),
    [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f],
  );
  assert.equal(
    written((w) => w.signed64((1n << 63n) - 1n)),
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00],
  );
});

test('texts and parts have their length in front, and the writer grows', () => {
  assert.equal(
    written((w) => w.text('é')),
    [2, 0xc3, 0xa9],
  );
  assert.is(written((w) => w.sized(new Uint8Array(300).fill(7))).length, 302);
});

test.run();
