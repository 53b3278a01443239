/** TF, breakpoints and alignment: which instruction #DB and #AC are of, in translated code that knows nothing of them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { alignmentMask } from '../../../runtime/cpu/exact-steps.ts';
import { RAX, RBX, RCX, RDI, RSI } from '../../../runtime/x86/registers.ts';
import { type AssemblyGuest, dataStart, guestOf } from '../../support/lockstep-guest.ts';

const test = suite('runtime/cpu/exact-steps');

const [DB, BP, AC, PF] = [1, 3, 17, 14];
const [singleStep, resumeFlag] = [0x4000n, 0x1_0000n];
/** CR0 with AM. */
const aligning = { environment: { control: 0x8001_0031 | alignmentMask } };

/** Sets flags of EFLAGS, or clears them. */
const setFlag = (flag: number): string => `pushf\n or word ptr [rsp], ${flag}\n popf`;
const clearFlag = (flag: number): string => `pushf\n and word ptr [rsp], ${~flag}\n popf`;

interface Met {
  readonly vector: number;
  readonly rip: bigint;
  readonly status: bigint;
}

/** All exceptions up to another than #DB, at each of which the guest just goes on. */
async function exceptions(guest: AssemblyGuest, most = 1000): Promise<Met[]> {
  const { cpu } = guest;
  const { debug } = cpu.supervisor;
  const met: Met[] = [];
  while (met.length < most) {
    const leave = await guest.run();
    if (leave.reason !== 'exception') throw new TypeError(`left by ${leave.reason}`);
    met.push({ vector: leave.vector, rip: cpu.rip, status: debug.get(6) & 0xf00fn });
    if (leave.vector !== DB) break;
    debug.set(6, 0xffff_0ff0n);
  }
  return met;
}

const places = (guest: AssemblyGuest, met: readonly Met[]): string[] =>
  met.map(({ rip }) => [...guest.symbols].find(([, at]) => at === rip)?.[0] ?? rip.toString(16));

for (const width of [64, 32] as const) {
  test(`${width}: TF traps behind each instruction, from the second behind POPF on`, async () => {
    const guest = await guestOf(
      width,
      `start:  mov eax, 1
               ${setFlag(0x100)}
               inc eax
      one:     call f
      three:   ${clearFlag(0x100)}
      last:    inc eax
               int3
      f:       inc eax
      two:     ret`,
    );

    const met = await exceptions(guest);

    assert.equal(
      places(guest, met.slice(0, 4)).map((name) => name),
      ['one', 'f', 'two', 'three'],
    );
    // PUSHF, AND and the POPF that clears it; then nothing but INT3.
    assert.is(met.length, 8);
    assert.is(met[6]?.rip, guest.at('last'));
    assert.is(met[7]?.vector, BP);
    assert.ok(
      met.slice(0, 7).every(({ vector, status }) => vector === DB && status === singleStep),
    );
    assert.is(guest.cpu.register(RAX), 4n);
  });

  test(`${width}: a traced program does what it does untraced`, async () => {
    const body = `mov ecx, 20
                  mov ebx, 1
         again:   imul ebx, ebx, 7
                  test ebx, 1
                  jz even
                  add ebx, ecx
         even:    push rbx
                  pop rax
                  sub eax, ebx
                  loop again
                  mov esi, ${dataStart}
                  lea edi, [rsi + 64]
                  mov ecx, 17
                  rep movsb
                  ${clearFlag(0x100)}
                  int3`;
    const plain = await guestOf(width, `start: ${body}`);
    const traced = await guestOf(width, `start: ${setFlag(0x100)}\n ${body}`);

    await plain.run();
    const met = await exceptions(traced);

    for (const register of [RAX, RBX, RCX, RSI, RDI])
      assert.is(traced.cpu.register(register), plain.cpu.register(register));
    assert.ok(met.length > 150, `${met.length}`);
    assert.is(met.at(-1)?.vector, BP);
  });

  test(`${width}: each element of a repeated string is a trap, with RF but behind the last`, async () => {
    const guest = await guestOf(
      width,
      `start:  mov edi, ${dataStart}
               mov ecx, 3
               ${setFlag(0x100)}
      again:   rep stosb
      behind:  nop
               int3`,
    );
    const { cpu } = guest;
    const seen: [bigint, boolean][] = [];

    for (let i = 0; i < 3; i++) {
      await guest.run();
      seen.push([cpu.register(RCX), (cpu.eflags & resumeFlag) !== 0n]);
    }

    assert.equal(seen, [
      [2n, true],
      [1n, true],
      [0n, false],
    ]);
    assert.is(cpu.rip, guest.at('behind'));
  });

  test(`${width}: behind a load of SS no trap comes`, async () => {
    const guest = await guestOf(
      width,
      `start:  mov edx, ss
               ${setFlag(0x100)}
               mov ss, edx
               nop
      one:     push rdx
      two:     ${width === 64 ? 'mov ss, edx' : 'pop ss'}
               nop
      three:   int3`,
    );

    const met = await exceptions(guest);

    assert.equal(places(guest, met.slice(0, 3)), ['one', 'two', 'three']);
  });

  test(`${width}: an instruction that faults is not behind it`, async () => {
    const guest = await guestOf(
      width,
      `start:  ${setFlag(0x100)}
               nop
      one:     mov eax, [0x10]
               int3`,
    );

    const met = await exceptions(guest);

    assert.equal(
      met.map(({ vector }) => vector),
      [DB, PF],
    );
    assert.equal(places(guest, met), ['one', 'one']);
  });

  test(`${width}: a breakpoint comes before its instruction, once RF is set no more`, async () => {
    const guest = await guestOf(
      width,
      `start:  mov ecx, 3
      again:   inc eax
      here:    dec ecx
               jnz again
               int3`,
    );
    const { cpu } = guest;
    const { debug } = cpu.supervisor;
    debug.set(1, guest.at('here'));
    debug.set(7, 0x404n);
    cpu.setRegister(RAX, 0n);
    const seen: bigint[] = [];

    for (;;) {
      const leave = await guest.run();
      if (leave.reason !== 'exception' || leave.vector !== DB) break;
      assert.is(cpu.rip, guest.at('here'));
      assert.is(debug.get(6) & 0xf00fn, 2n);
      seen.push(cpu.register(RAX));
      cpu.eflags |= resumeFlag;
    }

    assert.equal(seen, [1n, 2n, 3n]);
    assert.is(cpu.register(RCX), 0n);
  });

  test(`${width}: what is watched traps behind the instruction that touched it`, async () => {
    const guest = await guestOf(
      width,
      `start:  mov ebx, ${dataStart}
               mov eax, [rbx + 8]
               mov [rbx], al
      one:     mov [rbx + 12], al
               add word ptr [rbx + 4], 1
      two:     mov eax, [rbx + 8]
               push rax
               int3`,
    );
    const { debug } = guest.cpu.supervisor;
    debug.set(0, dataStart);
    debug.set(3, dataStart + 4n);
    // Of the first a byte that is written, of the other four bytes either way.
    debug.set(7, 0xf001_0481n);

    const met = await exceptions(guest);

    assert.equal(places(guest, met.slice(0, 2)), ['one', 'two']);
    assert.equal(
      met.map(({ status }) => status),
      [1n, 8n, 0n],
    );
  });

  test(`${width}: with AC and AM level 3 must align its accesses`, async () => {
    const guest = await guestOf(
      width,
      `start:  mov ebx, ${dataStart + 1n}
               mov eax, [rbx]
               ${setFlag(0x4_0000)}
               mov al, [rbx]
               mov eax, [rbx + 3]
               mov cx, [rbx + 1]
               mov esi, [rbx + 4096 - 1]
      here:    add [rbx], eax
               int3`,
      aligning,
    );
    const before = guest.read(dataStart, 8);

    const leave = await guest.run();

    assert.is(leave.reason === 'exception' && leave.vector, AC);
    assert.is(leave.reason === 'exception' && leave.errorCode, 0);
    assert.is(guest.cpu.rip, guest.at('here'));
    assert.equal(guest.read(dataStart, 8), before);
  });

  test(`${width}: without AM the same is allowed`, async () => {
    const guest = await guestOf(
      width,
      `start:  mov ebx, ${dataStart + 1n}
               ${setFlag(0x4_0000)}
               mov eax, [rbx]
               int3`,
    );

    const leave = await guest.run();

    assert.is(leave.reason === 'exception' && leave.vector, BP);
  });

  test(`${width}: a page that is not there comes before its alignment`, async () => {
    const guest = await guestOf(
      width,
      `start:  ${setFlag(0x4_0000)}
               mov eax, [0x11]`,
      aligning,
    );

    const leave = await guest.run();

    assert.is(leave.reason === 'exception' && leave.vector, PF);
  });
}

test.run();
