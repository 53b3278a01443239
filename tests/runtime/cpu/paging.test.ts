/** Guests behind page tables: every frame somewhere, or in runs. What they see is what the tables say, and faults are exact. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Leave } from '../../../runtime/cpu/leave.ts';
import { pageBits } from '../../../runtime/memory/page-tables.ts';
import type { PagedSpace } from '../../../runtime/minios/paged-space.ts';
import type { Mode } from '../../../runtime/x86/registers.ts';
import { RBX, RCX, RDI, RDX, RSI } from '../../../runtime/x86/registers.ts';
import {
  type AssemblyGuest,
  codeStart,
  dataStart,
  guestOf,
  memoryEnd,
  readOnlyPage,
} from '../../support/lockstep-guest.ts';
import { type Frames, mapPages } from '../../support/paged-mapping.ts';

const test = suite('runtime/cpu/paging');

const write = 2;
const present = 1;
const user = 4;
/** Far from the image. */
const heap = 0x9000_0000n;
const heapBytes = 0x10_0000n;

interface PagedGuest {
  readonly guest: AssemblyGuest;
  readonly space: PagedSpace;
}

async function pagedGuest(
  mode: Mode,
  frames: Frames,
  source: string,
  options: { readonly polls?: number; readonly writable?: boolean } = {},
): Promise<PagedGuest> {
  const spaces: PagedSpace[] = [];
  const guest = await guestOf(mode, `start: ${source}\nint3`, {
    ...{ polls: 1_000_000, ...options },
    map: (memory) => {
      const ranges = [
        { lo: codeStart, length: memoryEnd - codeStart },
        { lo: heap, length: heapBytes },
      ];
      const mapped = mapPages(memory, mode, ranges, frames);
      spaces.push(mapped.addressSpace);
      return mapped;
    },
  });
  const [space] = spaces;
  if (space === undefined) throw new TypeError('the guest was not mapped');
  guest.cpu.setRegister(RDI, dataStart);
  guest.cpu.setRegister(RSI, readOnlyPage);
  return { guest, space };
}

const isBreakpoint = (leave: Leave): boolean => leave.reason === 'exception' && leave.vector === 3;

/** Stores of 8 bytes at every offset, then loads of 16: many go across pages. */
const crossing = (mode: Mode): string => `
  mov ecx, 3000
  mov rdx, rdi
  mov eax, 0x12345678
1: mov [rdx + 1], rax
  mov [rdx + 5], ax
  imul eax, eax, 1664525
  add eax, 1013904223
  add rdx, 7
  dec ecx
  jnz 1b
  mov ecx, 2000
  mov rdx, rdi
  pxor xmm0, xmm0
2: movups xmm1, [rdx]
  paddb xmm0, xmm1
  add [rdx + 3], ${mode === 64 ? 'rcx' : 'ecx'}
  add rdx, 9
  dec ecx
  jnz 2b`;

for (const mode of [64, 32] as const)
  for (const frames of ['in order', 'scattered'] as const) {
    test(`${mode}: frames ${frames}: accesses across pages read and write what linear memory would`, async () => {
      const paged = await pagedGuest(mode, frames, crossing(mode));
      const linear = await guestOf(mode, `start: ${crossing(mode)}\nint3`);
      linear.cpu.setRegister(RDI, dataStart);

      const leave = await paged.guest.runInSlices(500);
      await linear.run();

      assert.ok(isBreakpoint(leave), JSON.stringify(leave.reason));
      assert.is(paged.guest.cpu.register(16), linear.cpu.register(16));
      assert.equal(paged.guest.read(dataStart, 0x6000), linear.read(dataStart, 0x6000));
    });

    test(`${mode}: frames ${frames}: a store that reaches into a read-only page changes nothing`, async () => {
      const paged = await pagedGuest(
        mode,
        frames,
        `mov rbx, 0x1234\nmov [rsi - 0x100], rbx\nmov rcx, 7\nfault: mov [rsi - 2], ebx\nmov rcx, 9`,
      );
      const { guest } = paged;
      const before = guest.read(readOnlyPage - 16n, 32);

      const leave = await paged.guest.runInSlices(500);

      assert.equal(leave, {
        ...{ reason: 'exception', vector: 14, errorCode: present | write, address: readOnlyPage },
        detail: undefined,
      });
      assert.is(guest.cpu.rip, guest.at('fault'));
      assert.equal([guest.cpu.register(RBX), guest.cpu.register(RCX)], [0x1234n, 7n]);
      assert.equal(guest.read(readOnlyPage - 16n, 32), before);
    });

    test(`${mode}: frames ${frames}: running code sees a page that is mapped elsewhere`, async () => {
      const paged = await pagedGuest(mode, frames, '1: mov eax, [rdi]\ncmp eax, 5\njne 1b', {
        polls: 100,
      });
      const { guest, space } = paged;
      for (let slice = 0; slice < 20; slice++) {
        guest.cpu.setPolls(100);
        assert.is((await guest.run()).reason, 'poll');
      }
      const other = space.tables.look(heap)?.host ?? 0;
      guest.write(heap, Uint8Array.of(5, 0, 0, 0));

      space.builder.map(dataStart, other, BigInt(present | write));
      space.tables.invalidate(dataStart);

      assert.ok(isBreakpoint(await paged.guest.runInSlices(500)));
    });

    test(`${mode}: frames ${frames}: a store that runs meets a page that has become read-only`, async () => {
      const paged = await pagedGuest(mode, frames, '1: fault: mov [rdi], eax\njmp 1b', {
        polls: 100,
      });
      const { guest, space } = paged;
      for (let slice = 0; slice < 20; slice++) {
        guest.cpu.setPolls(100);
        await guest.run();
      }

      space.protect(dataStart, 1n, false);
      const leave = await paged.guest.runInSlices(500);

      assert.ok(leave.reason === 'exception' && leave.errorCode === (present | write));
      assert.is(guest.cpu.rip, guest.at('fault'));
    });

    test(`${mode}: frames ${frames}: a flagged page is looked at at every store`, async () => {
      const paged = await pagedGuest(
        mode,
        frames,
        'mov ecx, 50\n1: mov [rdi], ecx\ndec ecx\njnz 1b',
      );
      const { guest } = paged;
      guest.watch(dataStart);

      await paged.guest.runInSlices(500);

      const counts = guest.cpu.paging?.counts;
      assert.ok((counts?.exits ?? 0) >= 50);
      assert.ok((counts?.refills ?? 99) < 5, JSON.stringify(counts));
      assert.is(guest.number(dataStart, 4), 1n);
    });
  }

for (const frames of ['in order', 'scattered'] as const)
  test(`frames ${frames}: stores beside code stay in recompiled code, those to code change it`, async () => {
    // Each round writes around the function that it calls, and every 256th into it.
    const source = `
      mov ecx, 8192
      lea rdx, [rip + called]
      xor ebx, ebx
    1: mov [rdx - 8], rcx
      mov [rdx + 6], ecx
      test cl, cl
      jnz 2f
      mov [rdx + 1], ecx
    2: call called
      add rbx, rax
      dec ecx
      jnz 1b
      int3
      .balign 64
      .skip 16
    called: mov eax, 5
      ret
      .skip 16`;
    const { guest } = await pagedGuest(64, frames, source, { writable: true });

    const leave = await guest.runInSlices(500);

    assert.ok(isBreakpoint(leave), JSON.stringify(leave.reason));
    // 256 rounds with each of 8192, 7936 … 256.
    const sum = Array.from({ length: 32 }, (_, i) => 256n * 256n * BigInt(i + 1));
    assert.is(
      guest.cpu.register(RBX),
      sum.reduce((all, part) => all + part, 0n),
    );
    assert.is(guest.number(guest.at('called') + 6n, 4), 1n);
    assert.ok((guest.cpu.paging?.counts.exits ?? 9999) < 400);
  });

test('what is not mapped faults as not present, and what is not canonical with #GP', async () => {
  const absent = await pagedGuest(64, 'scattered', 'mov rdx, 0x10\nfault: mov rbx, [rdx + 4]');
  const wild = await pagedGuest(
    64,
    'in order',
    'movabs rdx, 0x800000000000\nfault: mov [rdx], rbx',
  );

  assert.equal(await absent.guest.runInSlices(500), {
    ...{ reason: 'exception', vector: 14, errorCode: 0, address: 0x14n, detail: undefined },
  });
  assert.equal(await wild.guest.runInSlices(500), {
    ...{ reason: 'exception', vector: 13, errorCode: 0, address: undefined, detail: undefined },
  });
});

test('a user meets what belongs to the supervisor as a fault with the bit for users', async () => {
  const paged = await pagedGuest(64, 'in order', 'mov rbx, [rdi]\nfault: mov rbx, [rdi + 8]');
  const { guest, space } = paged;
  space.tables.isUser = true;

  const leave = await paged.guest.runInSlices(500);

  assert.ok(leave.reason === 'exception' && leave.errorCode === (present | user));
  assert.is(guest.cpu.register(RBX), 0n);
});

for (const mode of [64, 32] as const)
  for (const frames of ['in order', 'scattered'] as const) {
    test(`${mode}: frames ${frames}: pages that are met for the first time are filled while frames stand`, async () => {
      const source = `
        mov ecx, ${heapBytes / 0x400n}
        mov edx, ${heap}
      1: mov [rdx + 8], ecx
        mov eax, [rdx + 0x300]
        add rdx, 0x400
        dec ecx
        jnz 1b`;
      const paged = await pagedGuest(mode, frames, source);

      assert.ok(isBreakpoint(await paged.guest.runInSlices(500)));

      const counts = paged.guest.cpu.paging?.counts;
      assert.is(paged.guest.number(heap + heapBytes - 0x400n + 8n, 4), 1n);
      assert.ok((counts?.exits ?? 99) === 0, JSON.stringify(counts));
      assert.ok((counts?.refills ?? 0) > 8, JSON.stringify(counts));
    });
  }

for (const mode of [64, 32] as const)
  test(`${mode}: a page is dirty once the store is done, accessed before`, async () => {
    // The load is checked with the store, which never happens.
    const source = `mov edx, ${heap}\nmov eax, [rdx]\nxor ebx, ebx\ndiv ebx\nmov [rdx], eax`;
    const paged = await pagedGuest(mode, 'scattered', source);
    const { space } = paged;
    const bits = BigInt(pageBits.accessed | pageBits.dirty);
    space.builder.setEntry(heap, space.builder.entry(heap) & ~bits);

    const leave = await paged.guest.runInSlices(500);

    assert.ok(leave.reason === 'exception' && leave.vector === 0);
    const mapping = space.tables.look(heap);
    assert.ok(mapping?.accessed === true);
    assert.is(mapping.dirty, false);
  });

test('pages that are missed again and again end a slice early', async () => {
  // Two pages that share an entry of the TLB, in turn; that is no run.
  const paged = await pagedGuest(64, 'scattered', '1: mov [rdx], eax\nxor rdx, rbx\njmp 1b');
  const { guest, space } = paged;
  const far = heap + 0x200_0000n;
  space.builder.setEntry(far, space.builder.entry(heap));
  guest.cpu.setRegister(RDX, heap);
  guest.cpu.setRegister(RBX, heap ^ far);
  guest.cpu.setPolls(10_000_000);

  let leave = guest.cpu.run();
  for (; leave.reason === 'translate'; leave = guest.cpu.run()) await guest.cpu.translate();

  assert.equal(leave, { reason: 'poll', early: true });
  assert.ok((guest.cpu.paging?.counts.refills ?? 9999) < 1000);
});

/** Walks a pointer over four pages, again and again. */
const walking = (rounds: number): string => `
  mov ecx, ${rounds}
3: mov rdx, rdi
  mov ebx, 512
4: add eax, [rdx]
  mov [rdx + 8], eax
  add rdx, 32
  dec ebx
  jnz 4b
  dec ecx
  jnz 3b`;

for (const frames of ['in order', 'scattered'] as const)
  test(`frames ${frames}: what is hot is written anew for where it goes, and then leaves no more`, async () => {
    const short = await pagedGuest(64, frames, walking(40));
    const long = await pagedGuest(64, frames, walking(400));

    await short.guest.runInSlices(500);
    await long.guest.runInSlices(500);

    const [few, many] = [short, long].map(({ guest }) => guest.cpu.paging?.counts);
    assert.ok((many?.recompilations ?? 0) >= 1, JSON.stringify(many));
    assert.ok((many?.exits ?? 0) <= (few?.exits ?? 0) + 5, JSON.stringify([few, many]));
    assert.ok((many?.refills ?? 99) < 12, JSON.stringify(many));
  });

test('a site that goes to two runs in turn ends at the TLB', async () => {
  const source = `
    mov ecx, 30000
    mov rdx, rdi
  5: mov eax, [rdx]
    inc eax
    mov [rdx], eax
    xor rdx, ${heap ^ dataStart}
    dec ecx
    jnz 5b`;
  const paged = await pagedGuest(32, 'in order', source);
  const { guest } = paged;

  const leave = await paged.guest.runInSlices(500);

  assert.ok(isBreakpoint(leave));
  assert.is(guest.number(dataStart, 4) + guest.number(heap, 4), 30000n);
  assert.is(guest.cpu.register(RDX), dataStart);
  const counts = guest.cpu.paging?.counts;
  assert.ok((counts?.exits ?? 999) < 300, JSON.stringify(counts));
  assert.ok((counts?.recompilations ?? 99) < 20, JSON.stringify(counts));
});

test.run();
