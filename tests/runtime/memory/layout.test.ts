/** Structs by C's rules, in both widths. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  array,
  i16,
  i64,
  pointer,
  struct,
  u8,
  u16,
  u32,
  u64,
} from '../../../runtime/memory/layout.ts';

const layout = suite('runtime/memory/layout');

const inner = struct('inner', { a: u8, b: u16 });
const outer = struct('outer', { c: u8, wide: u64, list: array(inner, 2), p: pointer, tail: u8 });

layout('x86-64: a 64-bit integer and a pointer are aligned to 8', () => {
  const { offsets, size, alignment } = outer.layout(64);

  assert.equal({ ...offsets }, { c: 0, wide: 8, list: 16, p: 24, tail: 32 });
  assert.equal([size, alignment], [40, 8]);
});

layout('x86-32: they are aligned to 4', () => {
  const { offsets, size, alignment } = outer.layout(32);

  assert.equal({ ...offsets }, { c: 0, wide: 4, list: 12, p: 20, tail: 24 });
  assert.equal([size, alignment], [28, 4]);
});

layout('views are live', () => {
  const bytes = new Uint8Array(80);
  const view = outer.layout(64).at(bytes, 40);

  view.wide = 0x1122_3344_5566_7788n;
  assert.equal([...bytes.subarray(48, 50)], [0x88, 0x77]);
  bytes[40] = 9;
  assert.is(view.c, 9);
});

layout(
  'elements of an array are views of their structs, and a shorter list leaves the rest',
  () => {
    const bytes = new Uint8Array(40);
    const view = outer.layout(64).at(bytes, 0);

    for (const [i, element] of view.list.entries()) element.b = i + 1;
    layoutWrite(bytes);

    assert.equal(
      view.list.map(({ a, b }) => [a, b]),
      [
        [5, 6],
        [0, 2],
      ],
    );
  },
);

function layoutWrite(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer);
  outer.write({ view: () => view }, 0, 64, { list: [{ a: 5, b: 6 }] });
}

layout('signed fields are signed', () => {
  const signed = struct('signed', { s: i16, l: i64, w: u32 }).layout(64);
  const view = signed.at(new Uint8Array(signed.size), 0);

  view.s = -2;
  view.l = -3n;
  view.w = 0xffff_ffff;

  assert.equal([view.s, view.l, view.w], [-2, -3n, 0xffff_ffff]);
});

layout('a view of growing memory sees what it has become', () => {
  let current = new DataView(new ArrayBuffer(16));
  const view = inner.layout(64).at({ view: () => current }, 0);
  current = new DataView(Uint8Array.of(1, 0, 2, 0).buffer);

  assert.equal([view.a, view.b], [1, 2]);
});

layout.run();
