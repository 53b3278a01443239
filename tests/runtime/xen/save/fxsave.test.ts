import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cpuState, cpuStateSize } from '../../../../runtime/x86/state.ts';
import type { SystemCpu } from '../../../../runtime/xen/pv-cpu.ts';
import { fxrstor, fxsave } from '../../../../runtime/xen/save/fxsave.ts';

const test = suite('runtime/xen/save/fxsave');

type StateBytes = Pick<SystemCpu, 'readState' | 'writeState'>;

function stateOf(bytes: Uint8Array): StateBytes {
  return {
    readState: (offset, length) => bytes.slice(offset, offset + length),
    writeState: (offset, from) => bytes.set(from, offset),
  };
}

test('ST0 of the image is the register that TOP names', () => {
  const bytes = new Uint8Array(cpuStateSize);
  bytes[cpuState.fpuTop] = 6;
  bytes.fill(0xab, cpuState.fpu + 16 * 6, cpuState.fpu + 16 * 6 + 10);
  bytes[cpuState.fpuTags] = 0x40;

  const image = fxsave(stateOf(bytes), 64);

  assert.is((image[3] ?? 0) >> 3, 6);
  assert.is(image[4], 0x40);
  assert.equal([...image.slice(32, 42)], new Array(10).fill(0xab));
  assert.is(image[42], 0);
});

for (const width of [64, 32] as const)
  test(`${width}: what was saved is there again`, () => {
    const bytes = new Uint8Array(cpuStateSize).map((_, i) => (i * 37) & 0xff);
    const view = new DataView(bytes.buffer);
    view.setUint32(cpuState.fpuTop, 3, true);
    view.setUint32(cpuState.fpuControl, 0x37f, true);
    view.setUint32(cpuState.fpuStatus, 0x4100, true);
    view.setUint32(cpuState.fpuTags, 0x5a, true);
    view.setUint32(cpuState.fpuOpcode, 0x123, true);
    view.setUint32(cpuState.mxcsr, 0x1fa0, true);
    const other = new Uint8Array(cpuStateSize);

    const image = fxsave(stateOf(bytes), width);
    fxrstor(stateOf(other), width, image);

    assert.equal(fxsave(stateOf(other), width), image);
    const xmm = width === 64 ? 256 : 128;
    assert.equal(
      other.slice(cpuState.xmm, cpuState.xmm + xmm),
      bytes.slice(cpuState.xmm, cpuState.xmm + xmm),
    );
  });

test.run();
