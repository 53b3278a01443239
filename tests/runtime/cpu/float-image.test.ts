/** Floats of a context in memory: there and back, and what a guest may not set. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  applyFnsaveImage,
  applyFxsaveImage,
  fnsaveImage,
  fnsaveSize,
  fxsaveImage,
  fxsaveSize,
} from '../../../runtime/cpu/float-image.ts';
import { XMM0 } from '../../../runtime/x86/registers.ts';
import { cpuState, registerOffset } from '../../../runtime/x86/state.ts';
import { freshSeed, random } from '../../support/random.ts';

const images = suite('runtime/cpu/float-image');

const contextBytes = cpuState.leaveReason;
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer);

/** TOP 6, two registers held: 1.0 and 0; one XMM register. */
function context(): Uint8Array {
  const bytes = new Uint8Array(contextBytes);
  const view = viewOf(bytes);
  view.setUint32(cpuState.fpuControl, 0x37f, true);
  view.setUint32(cpuState.fpuStatus, 0x4100, true);
  view.setUint32(cpuState.fpuTop, 6, true);
  view.setUint32(cpuState.fpuTags, 0xc0, true);
  view.setBigUint64(cpuState.fpu + 16 * 6, 1n << 63n, true);
  view.setUint16(cpuState.fpu + 16 * 6 + 8, 0x3fff, true);
  view.setUint32(cpuState.mxcsr, 0x1fa0, true);
  view.setBigUint64(registerOffset(XMM0 + 9), 0x1122_3344_5566_7788n, true);
  return bytes;
}

images('FXSAVE has TOP in the status word and the registers from the top on', () => {
  const view = viewOf(fxsaveImage(context(), 64));

  assert.is(view.byteLength, fxsaveSize);
  assert.is(view.getUint16(0, true), 0x37f);
  assert.is(view.getUint16(2, true), 0x4100 | (6 << 11));
  assert.is(view.getUint8(4), 0xc0);
  assert.is(view.getUint32(24, true), 0x1fa0);
  assert.is(view.getBigUint64(32, true), 1n << 63n);
  assert.is(view.getUint16(40, true), 0x3fff);
  assert.is(view.getBigUint64(160 + 16 * 9, true), 0x1122_3344_5566_7788n);
});

images('x86-32 has eight XMM registers', () => {
  const view = viewOf(fxsaveImage(context(), 32));

  assert.is(view.getBigUint64(160 + 16 * 9, true), 0n);
});

images('FNSAVE has a tag of two bits for each register', () => {
  const view = viewOf(fnsaveImage(context()));

  assert.is(view.byteLength, fnsaveSize);
  assert.is(view.getUint16(4, true), 0x4100 | (6 << 11));
  // R6 valid, R7 zero, all others empty.
  assert.is(view.getUint32(8, true), 0xffff_4fff);
  assert.is(view.getBigUint64(28, true), 1n << 63n);
});

images('what is read back is what was written', () => {
  const seed = freshSeed();
  const { below } = random(seed);
  for (let round = 0; round < 50; round++) {
    const first = context();
    for (let i = cpuState.fpu; i < cpuState.fpu + 128; i++) if (i % 16 < 10) first[i] = below(256);
    for (let i = cpuState.xmm; i < cpuState.xmm + 256; i++) first[i] = below(256);
    viewOf(first).setUint32(cpuState.fpuTop, below(8), true);
    viewOf(first).setUint32(cpuState.fpuTags, below(256), true);
    const second = new Uint8Array(contextBytes);
    const third = new Uint8Array(contextBytes);

    applyFxsaveImage(fxsaveImage(first, 64), second, 64);
    applyFxsaveImage(fxsaveImage(first, 64), third, 64);
    applyFnsaveImage(fnsaveImage(first), third);

    assert.equal(second, first, `seed ${seed}`);
    assert.equal(third, first, `seed ${seed}`);
  }
});

images('reserved bits are not set, and ES follows from flags and masks', () => {
  const image = new Uint8Array(fxsaveSize).fill(0xff);
  image[0] = 0x7e; // #IA is not masked
  const bytes = new Uint8Array(contextBytes);

  applyFxsaveImage(image, bytes, 64);

  const view = viewOf(bytes);
  assert.is(view.getUint32(cpuState.mxcsr, true), 0xffff);
  assert.is(view.getUint32(cpuState.fpuControl, true), 0x1f7e);
  assert.is(view.getUint32(cpuState.fpuStatus, true), 0xc7ff);
  assert.is(view.getUint32(cpuState.fpuTop, true), 7);
  assert.is(view.getUint32(cpuState.fpuOpcode, true), 0x7ff);
});

images.run();
