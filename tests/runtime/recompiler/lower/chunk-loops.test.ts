/** Loops in chunks: which are, and that the guest sees nothing of it: faults, flags, and the last round are as ever. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { discover, type GuestFunction } from '../../../../runtime/recompiler/discover.ts';
import { chunkLoops, type WaysOfBlock } from '../../../../runtime/recompiler/lower/chunk-loops.ts';
import { outline, shapeOf, waysFrom } from '../../../../runtime/recompiler/lower/plan.ts';
import { RAX, RBX, RCX, RDI, RDX, RSI } from '../../../../runtime/x86/registers.ts';
import { vectors } from '../../../../runtime/x86/semantics.ts';
import {
  type AssemblyGuest,
  codeStart,
  dataStart,
  guestOf,
  memoryEnd,
  readOnlyPage,
} from '../../../support/lockstep-guest.ts';
import { codeSource } from '../../../support/lockstep-source.ts';
import { type Frames, mapPages } from '../../../support/paged-mapping.ts';

const test = suite('runtime/recompiler/lower/chunk-loops');

/** What becomes of code at 0x1000. */
function chunkedOf(hex: string, waysOf?: WaysOfBlock): GuestFunction {
  const fn = discover(codeSource(64, hex), 0x1000n);
  const outlined = outline(fn);
  return chunkLoops(fn, 64, shapeOf(fn, outlined), outlined.map(waysFrom), waysOf);
}

const kindsOf = ({ chunks }: GuestFunction): string[] =>
  [...(chunks?.values() ?? [])].map(({ kind }) => kind).sort();

type World = 'linear' | Frames;

const options = { tier: 'fast', polls: 1_000_000 } as const;

/** Behind page tables the guest has run before, in slices, so that it is known where each access goes. */
async function guestWith(width: 64 | 32, world: World, source: string): Promise<AssemblyGuest> {
  if (world === 'linear') return guestOf(width, source, options);
  const ranges = [{ lo: codeStart, length: memoryEnd - codeStart }];
  const guest = await guestOf(width, source, {
    ...options,
    map: (memory) => mapPages(memory, width, ranges, world),
  });
  for (let run = 0; run < mostRuns && !hasLearned(guest); run++) {
    guest.cpu.rip = guest.at('start');
    const { reason } = await guest.runInSlices(2);
    assert.is(reason, 'exception');
  }
  assert.ok(hasLearned(guest), 'what has run is written anew');
  guest.cpu.rip = guest.at('start');
  guest.cpu.setPolls(options.polls);
  return guest;
}

/** What is known of accesses is looked at after some hundred slices. */
const mostRuns = 300;
const hasLearned = ({ cpu }: AssemblyGuest): boolean =>
  (cpu.paging?.counts.recompilations ?? 0) > 0;

test('a loop over words gets a guard, a count and a copy without checks', () => {
  // 1000: mov edx,[rsi+rax*4]; mov [rdi+rax*4],edx; add rax,1; cmp rax,0x10; jne 1000; ret
  const fn = chunkedOf('8b1486 891487 4883c001 4883f810 75f0 c3');

  assert.equal(kindsOf(fn), ['count', 'guard', 'unchecked']);
  const guard = fn.chunks?.get(0x1000n);
  assert.ok(guard?.kind === 'guard');
  assert.equal(
    guard.ranges.map(({ bytes, writes }) => [bytes, writes]),
    [
      [128, false],
      [128, true],
    ],
  );
});

test('behind page tables what a loop reaches in a window and by the TLB is apart, and it waits until all is known', () => {
  // 1000: mov edx,[rdi]; mov [rdi+8],edx; add rdi,4; cmp rdi,rax; jne 1000; ret
  const hex = '8b17 895708 4883c704 4839c7 75f2 c3';
  const known = chunkedOf(hex, () => (statement) => (statement.kind === 'load' ? 1 : 'tlb'));
  const unknown = chunkedOf(hex, () => (statement) => (statement.kind === 'load' ? 1 : undefined));

  assert.equal(kindsOf(known), ['checked', 'count', 'guard', 'unchecked']);
  const guard = known.chunks?.get(0x1000n);
  assert.ok(guard?.kind === 'guard');
  assert.equal(
    guard.ranges.map(({ bytes, writes, way }) => [bytes, writes, way]),
    [
      [128, false, 1],
      [128, true, 'tlb'],
    ],
  );
  assert.is(unknown.chunks, undefined);
});

test('a table that a byte indexes is reached wherever the byte points', () => {
  // 1000: movzx edx,byte[rsi]; mov eax,[rdx*4+0x2000]; inc rsi; cmp rsi,rdi; jne 1000; ret
  const fn = chunkedOf('0fb616 8b049500200000 48ffc6 4839fe 75ee c3');

  const guard = fn.chunks?.get(0x1000n);
  assert.ok(guard?.kind === 'guard');
  assert.equal(
    guard.ranges.map(({ bytes }) => bytes),
    [32, 1024],
  );
});

test('a loop whose addresses come from memory, that calls, or that steps too far has checks', () => {
  const loops = {
    'mov rax,[rax]; dec ecx; jne': '488b00 ffc9 75f9 c3',
    'call 1010; dec ecx; jne': 'e80b000000 ffc9 75f7 c3 9090909090 c3',
    'mov eax,[rsi]; add rsi,0x1000; dec ecx; jne': '8b06 4881c600100000 ffc9 75f3 c3',
    'mov eax,[rsi]; add rsi,rdx; dec ecx; jne': '8b06 4801d6 ffc9 75f7 c3',
  };
  for (const [what, hex] of Object.entries(loops))
    assert.is(chunkedOf(hex).chunks, undefined, what);
});

for (const width of [64, 32] as const)
  for (const world of ['linear', 'in order', 'scattered'] as const) {
    test(`${width}, ${world}: a loop that comes to a page that it may not write faults there, registers exact`, async () => {
      const guest = await guestWith(
        width,
        world,
        `start: mov edi, ${readOnlyPage - 400n}
              xor ecx, ecx
              mov edx, 7
       1:     mov dword ptr [rdi], edx
              add rdi, 4
              lea rdx, [rdx + 3]
              inc rcx
              cmp rcx, 1000
              jne 1b
              int3`,
      );
      const leave = await guest.run();

      assert.ok(leave.reason === 'exception' && leave.vector === vectors.PF);
      assert.is(leave.address, readOnlyPage);
      assert.equal(
        [RCX, RDI, RDX].map((register) => guest.cpu.register(register)),
        [100n, readOnlyPage, 307n],
      );
      assert.is(guest.number(readOnlyPage - 4n, 4), 304n);
      assert.is(guest.cpu.eflags & 1n, 1n, 'CF of the comparison before');
    });

    test(`${width}, ${world}: a loop that runs off the end of memory faults at its last byte`, async () => {
      const guest = await guestWith(
        width,
        world,
        `start: mov esi, ${memoryEnd - 1000n}
              xor ecx, ecx
       1:     movzx eax, byte ptr [rsi]
              inc rsi
              inc rcx
              jmp 1b`,
      );
      const leave = await guest.run();

      assert.ok(leave.reason === 'exception' && leave.vector === vectors.PF);
      assert.equal([leave.address, guest.cpu.register(RCX)], [memoryEnd, 1000n]);
    });

    test(`${width}, ${world}: loops up, down and left in the middle do as many rounds as they should`, async () => {
      const guest = await guestWith(
        width,
        world,
        `start: mov edi, ${dataStart}
              xor eax, eax
       1:     mov dword ptr [rdi + rax * 4], eax
              inc rax
              cmp rax, 1001
              jne 1b
              lea rsi, [rdi + 4 * 1000]
              xor ebx, ebx
       2:     add ebx, [rsi]
              sub rsi, 4
              cmp rsi, rdi
              jne 2b
              xor edx, edx
       3:     cmp dword ptr [rdi + rdx * 4], 777
              je 4f
              inc rdx
              jmp 3b
       4:     int3`,
      );
      await guest.run();

      assert.equal(
        [RAX, RBX, RDX, RSI, RDI].map((register) => guest.cpu.register(register)),
        [1001n, 500500n, 777n, dataStart, dataStart],
      );
    });

    test(`${width}, ${world}: a copy onto what it still has to read repeats it`, async () => {
      const guest = await guestWith(
        width,
        world,
        `start: mov esi, ${dataStart}
              mov dword ptr [rsi], 0x01020304
              xor ecx, ecx
       1:     mov eax, [rsi + rcx * 4]
              mov [rsi + rcx * 4 + 4], eax
              inc rcx
              cmp rcx, 100
              jne 1b
              int3`,
      );
      await guest.run();

      assert.is(guest.number(dataStart + 400n, 4), 0x0102_0304n);
    });
  }

for (const width of [64, 32] as const)
  test(`${width}: a loop without end gives way at its polls`, async () => {
    const guest = await guestOf(
      width,
      `start: xor ecx, ecx
       1:     inc rcx
              mov eax, [${dataStart}]
              jmp 1b`,
      { tier: 'fast' },
    );
    guest.cpu.setPolls(100);
    const leave = await guest.run();

    assert.is(leave.reason, 'poll');
    assert.ok(guest.cpu.register(RCX) > 32n);
  });

test.run();
