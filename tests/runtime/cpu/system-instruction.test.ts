/** Privileged instructions, tables and gates by hand: SDM vol. 2, each one's exceptions; vol. 3, 2.8 and 6.12. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RAX } from '../../../runtime/x86/registers.ts';
import { runSystem, words } from '../../support/run-system.ts';
import { vectorRip } from '../../support/vectors/state.ts';

const test = suite('runtime/cpu/system-instruction');

const data = 0x2000_0400n;
const gp = (errorCode = 0) => ({ vector: 13, errorCode });
const next = (rip: bigint) => ({ kind: 'next', rip });

// What level 3 may not do.

test('an application gets #GP(0) for what needs level 0 or the I/O level', () => {
  // cli; sti; hlt; in al,10h; in eax,dx; out dx,al; insb; outsd; rep insb; clts; invd; wbinvd; invlpg [rax];
  // mov cr0,rax; mov rax,cr3; mov dr0,rax; rdmsr; wrmsr; rdpmc; lmsw ax; lldt ax; ltr ax; lgdt [rax]; lidt [rax]
  const codes = [
    ...[
      'fa',
      'fb',
      'f4',
      'e4 10',
      'ed',
      'ee',
      '6c',
      '6f',
      'f3 6c',
      '0f 06',
      '0f 08',
      '0f 09',
      '0f 01 38',
    ],
    ...[
      '0f 22 c0',
      '0f 20 d8',
      '0f 23 c0',
      '0f 32',
      '0f 30',
      '0f 33',
      '0f 01 f0',
      '0f 00 d0',
      '0f 00 d8',
    ],
    ...['0f 01 10', '0f 01 18'],
  ];
  for (const mode of [64, 32] as const)
    for (const code of codes) assert.equal(runSystem(mode, code).outcome, gp(), `${mode}: ${code}`);
  // swapgs; sysret; sysretq
  for (const code of ['0f 01 f8', '0f 07', '48 0f 07'])
    assert.equal(runSystem(64, code).outcome, gp(), code);
});

test('what the environment emulates is done, or halts', () => {
  const done = { environment: { emulate: () => 'done' as const } };
  const halted = { environment: { emulate: () => 'halted' as const } };

  assert.equal(runSystem(64, '0f 06', done).outcome, next(vectorRip + 2n));
  assert.equal(runSystem(64, 'f4', halted).outcome, { kind: 'halt', rip: vectorRip + 1n });
});

test('CLI and STI change IF where the I/O privilege level allows it', () => {
  assert.is(runSystem(32, 'fa', { flags: 0x3202n }).flags, 0x3002n);
  assert.is(runSystem(32, 'fb', { flags: 0x3002n }).flags, 0x3202n);
});

// Tables.

test('SGDT and SIDT store limit and base, as many bytes as the mode has', () => {
  const environment = {
    gdt: { base: 0xffff_8000_1234_5678n, limit: 0x37 },
    idt: { base: 0x1111_2222n, limit: 0xfff },
  };
  const long = runSystem(64, '0f 01 00', { registers: { [RAX]: data }, environment });
  assert.is(long.cpu.memory.load(data, 2), 0x37n);
  assert.is(long.cpu.memory.load(data + 2n, 8), 0xffff_8000_1234_5678n);

  const short = runSystem(32, '0f 01 08', { registers: { [RAX]: data }, environment });
  assert.is(short.cpu.memory.load(data, 8), 0x1111_2222_0fffn);
});

test('SLDT, STR and SMSW give selectors and status; two bytes to memory', () => {
  const environment = { ldt: 0x28, task: 0x40 };
  const ones = { [RAX]: 0xffff_ffff_ffff_ffffn };

  assert.is(runSystem(64, '0f 00 c0', { registers: ones, environment }).cpu.register(RAX), 0x28n);
  assert.is(runSystem(64, '0f 00 c8', { registers: ones, environment }).cpu.register(RAX), 0x40n);
  const narrow = runSystem(64, '66 0f 00 c8', { registers: ones, environment });
  assert.is(narrow.cpu.register(RAX), 0xffff_ffff_ffff_0040n);
  assert.is(runSystem(64, '0f 01 e0').cpu.register(RAX), 0x8001_0031n);
  const memory = [{ address: data, bytes: words(4, 0xffff_ffff) }];
  const stored = runSystem(64, '0f 01 20', { registers: { [RAX]: data }, memory });
  assert.is(stored.cpu.memory.load(data, 4), 0xffff_0031n);
});

// Gates.

test('INT n is a trap where its gate is open, and else #GP naming the gate', () => {
  assert.equal(runSystem(64, 'cd 03').outcome, { kind: 'trap', vector: 3, rip: vectorRip + 2n });
  assert.equal(runSystem(64, 'cd 80').outcome, gp(0x402));
  const environment = { gatePrivilege: (vector: number) => (vector === 0x80 ? 3 : undefined) };
  assert.equal(runSystem(32, 'cd 80', { environment }).outcome, {
    kind: 'trap',
    vector: 0x80,
    rip: vectorRip + 2n,
  });
  assert.equal(runSystem(32, 'cd 03', { environment }).outcome, gp(0x1a));
});

test.run();
