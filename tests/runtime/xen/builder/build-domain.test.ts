import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_GUEST_CMDLINE, start_info } from '../../../../runtime/abi/xen.ts';
import { MachineMemory } from '../../../../runtime/memory/machine-memory.ts';
import { PageTables } from '../../../../runtime/memory/page-tables.ts';
import { buildDomain } from '../../../../runtime/xen/builder/build-domain.ts';
import { domainImage } from '../../../../runtime/xen/builder/domain-image.ts';
import { FrameTable } from '../../../../runtime/xen/frames.ts';
import { assertRefused } from '../../../support/assert-refused.ts';
import { type FakeDomain, fakeDomain } from '../../../support/domain-image.ts';

const test = suite('runtime/xen/builder/build-domain');

function build(
  width: 64 | 32,
  options: FakeDomain = {},
  commandLine = 'quiet',
  ramdisk?: Uint8Array,
) {
  const frames = new FrameTable(new MachineMemory(64 * 2 ** 20));
  const image = domainImage(fakeDomain(width, options));
  const built = buildDomain(image, frames, {
    ...{ id: 1, memory: 16 * 2 ** 20, commandLine, ramdisk, ports: { xenstore: 1, console: 2 } },
  });
  const { memory } = frames;
  const levels = width === 64 ? 4 : 3;
  const tables = new PageTables({ levels, memory, frames, root: built.root });
  const host = (address: bigint): number => {
    const place = tables.translate(address, 'read');
    if (typeof place !== 'number') throw new Error(`nothing lies at 0x${address.toString(16)}`);
    return place;
  };
  const word = (address: bigint): bigint =>
    width === 64
      ? memory.view().getBigUint64(host(address), true)
      : BigInt(memory.view().getUint32(host(address), true));
  const info = start_info.layout(width).at(memory, host(built.startInfo));
  return { frames, built, tables, host, word, info, memory };
}

for (const width of [64, 32] as const) {
  test(`${width}: the guest’s first page tables lead to what its start info names`, () => {
    const { built, host, word, info, memory, tables, frames } = build(width);

    assert.is(memory.bytes()[host(0n)], 0x90);
    assert.is(info.nr_pages, 4096n);
    assert.is(info.shared_info, BigInt(built.sharedInfo) << 12n);
    assert.is(String.fromCharCode(...info.cmd_line.slice(0, 6)), 'quiet\0');
    assert.is(info.console.evtchn, 2);
    const third = word(info.mfn_list + BigInt((3 * width) / 8));
    assert.is(third, BigInt(built.frames[3] ?? 0));
    assert.is.not(third, 3n);
    assert.is(frames.frameOf(host(info.pt_base)), built.root);
    assert.not.type(tables.translate(info.pt_base, 'write'), 'number');
    assert.type(tables.translate(built.startInfo, 'write'), 'number');
    assert.type(tables.translate(built.stackPointer - 8n, 'write'), 'number');
  });

  test(`${width}: a ramdisk and the hypercall page are where they are said to be`, () => {
    const notes = [{ name: 'HYPERCALL_PAGE', value: 0x2000n }];
    const { host, info, memory } = build(width, { notes }, '', Uint8Array.of(7, 8, 9));

    assert.is(memory.bytes()[host(info.mod_start) + 2], 9);
    assert.is(info.mod_len, 3n);
    const at = host(0x2000n) + 32 * 14;
    const code = [...memory.bytes().slice(at, at + 14)];
    const expected = {
      64: [0x51, 0x41, 0x53, 0xb8, 14, 0, 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3],
      32: [0xb8, 14, 0, 0, 0, 0xcd, 0x82, 0xc3, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc],
    };
    assert.equal(code, expected[width]);
  });
}

test('a list of frames of its own is mapped there, and its frames are told', () => {
  const notes = [{ name: 'INIT_P2M', value: 0x80_0000_0000n }];

  const { info, word, built } = build(64, { notes });

  assert.is(info.mfn_list, 0x80_0000_0000n);
  assert.is(word(0x80_0000_0000n), BigInt(built.frames[0] ?? 0));
  assert.is(info.nr_p2m_frames, 8n + 3n);
});

test('a command line that no guest could read is refused', async () => {
  await assertRefused(
    () => build(64, {}, 'x'.repeat(MAX_GUEST_CMDLINE)),
    'the command line has 1024 bytes; a guest takes at most 1023',
  );
});

test.run();
