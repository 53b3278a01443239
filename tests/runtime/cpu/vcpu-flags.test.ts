/**
 * Flags live as recipes until somebody asks: read at once, in another block, behind a call or by the host they are the same
 * (SDM vol. 1, 3.4.3). What they must be is what the recorded vectors and lockstep say.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { flagBits } from '../../../runtime/ir/builder.ts';
import { RBP, RDI } from '../../../runtime/x86/registers.ts';
import { dataStart, guestOf } from '../../support/lockstep-guest.ts';

const test = suite('runtime/cpu/vcpu-flags');

/** Each sets flags from eax 0x80000001, ebx 0x7fffffff, ecx 3, edx 0x1234 and CF 1. */
const setters = [
  ...['add eax, ebx', 'add al, bl', 'add ax, bx', 'adc eax, ebx', 'adc al, -1', 'sub eax, ebx'],
  ...['sub al, bl', 'sbb eax, ebx', 'sbb dx, dx', 'cmp ebx, eax', 'cmp bl, al', 'cmp eax, eax'],
  ...['neg eax', 'neg dl', 'inc ebx', 'inc bl', 'dec eax', 'dec dh', 'and eax, ebx', 'or eax, ebx'],
  ...['xor eax, eax', 'test al, al', 'test eax, 0x80000000', 'shl eax, 1', 'shl ebx, cl'],
  ...['shl eax, 0', 'shr eax, 1', 'shr ax, cl', 'sar eax, cl', 'sar al, 7', 'rol eax, 1'],
  ...['rol bl, cl', 'ror eax, 1', 'rcl eax, 1', 'rcl ebx, cl', 'rcr al, 1', 'rcr eax, cl'],
  ...['shld eax, ebx, 4', 'shrd eax, ebx, cl', 'mul ebx', 'mul dl', 'imul ebx', 'imul eax, ebx'],
  ...['imul eax, ebx, 3', 'bt eax, 31', 'bts edx, ecx', 'btr eax, 0', 'btc edx, 5', 'bsf eax, eax'],
  ...['bsr edx, edx', 'tzcnt eax, ebx', 'lzcnt edx, ebx', 'popcnt eax, edx', 'xadd eax, ebx'],
  ...['cmpxchg ebx, ecx', 'cmpxchg ecx, eax', 'stc', 'clc', 'cmc', 'sahf', 'andn eax, ebx, edx'],
  ...['blsr eax, ebx', 'blsi eax, edx', 'bzhi eax, ebx, ecx', 'comisd xmm0, xmm1'],
  ...['ucomiss xmm1, xmm0', 'comisd xmm2, xmm2', 'ptest xmm0, xmm1', 'push 0x8d5\npopf'],
];

/** Between the setter and the reader. */
const ways = {
  'at once': '',
  'in another block': 'jmp 7f\n7:',
  'behind a call': 'call nothing',
  'behind a call by a pointer': 'call word ptr [rbp]',
  'behind a loop':
    'mov esi, 2\n7: lea rsi, [rsi - 1]\nxchg ecx, esi\njecxz 8f\nxchg ecx, esi\njmp 7b\n8:',
} as const;

/** pushf; then all that setcc and lahf say, packed as EFLAGS are. */
const readers = `pushf
  pop word ptr [rdi]
  setc [rdi + 8]
  setp [rdi + 9]
  setz [rdi + 10]
  sets [rdi + 11]
  seto [rdi + 12]
  lahf
  mov [rdi + 13], ah
  lea rdi, [rdi + 16]`;

const setUp = `mov eax, 0x80000001
  mov ebx, 0x7fffffff
  mov ecx, 3
  mov edx, 0x1234
  cmp ecx, 4`;

const source = (way: string): string => `start: lea rsi, [nothing]
  mov [rbp], rsi
  mov eax, 7
  movd xmm0, eax
  cvtsi2sd xmm0, eax
  cvtsi2sd xmm1, ecx
  pcmpeqd xmm2, xmm2
  ${setters.map((setter) => `${setUp}\n${setter}\n${way}\n${readers}`).join('\n')}
  int3
  nothing: ret`;

const arithmetic = Object.values(flagBits).reduce((all, bit) => all | (1n << BigInt(bit)), 0n);

interface Read {
  readonly image: bigint;
  readonly conditions: bigint;
}

/** Of every setter. */
async function flagsBy(width: 64 | 32, way: string): Promise<Read[]> {
  const guest = await guestOf(width, source(way));
  const table = dataStart + 16n;
  guest.cpu.setRegister(RDI, table);
  guest.cpu.setRegister(RBP, dataStart);
  const leave = await guest.run();
  assert.is(leave.reason === 'exception' && leave.vector, 3, `rip ${guest.cpu.rip.toString(16)}`);
  const byte = (at: bigint): bigint => guest.number(at, 1);
  return setters.map((_, i) => {
    const at = table + BigInt(i * 16);
    const [cf, pf, zf, sf, of, ah] = [8n, 9n, 10n, 11n, 12n, 13n].map((offset) =>
      byte(at + offset),
    );
    const conditions =
      (cf ?? 0n) |
      ((pf ?? 0n) << 2n) |
      ((zf ?? 0n) << 6n) |
      ((sf ?? 0n) << 7n) |
      ((of ?? 0n) << 11n);
    const adjust = (ah ?? 0n) & 0x10n;
    return { image: guest.number(at, 4) & arithmetic, conditions: conditions | adjust };
  });
}

for (const width of [64, 32] as const)
  for (const [name, way] of Object.entries(ways))
    test(`${width}: ${name} pushf, setcc and lahf read what each instruction has set`, async () => {
      const expected = await flagsBy(width, '');

      const found = await flagsBy(width, way);

      setters.forEach((setter, i) => {
        assert.is(found[i]?.image, expected[i]?.image, setter);
        assert.is(found[i]?.conditions, expected[i]?.image, setter);
      });
    });

for (const width of [64, 32] as const)
  test(`${width}: the host reads the same flags`, async () => {
    const expected = await flagsBy(width, '');
    const guest = await guestOf(width, source('int3'));
    guest.cpu.setRegister(RDI, dataStart + 16n);
    guest.cpu.setRegister(RBP, dataStart);

    for (const [i, setter] of setters.entries()) {
      const leave = await guest.run();
      assert.is(leave.reason === 'exception' && leave.vector, 3);
      assert.is(guest.cpu.eflags & arithmetic, expected[i]?.image, setter);
    }
  });

test('flags are those of the manual', async () => {
  const images = await flagsBy(64, '');
  const of = (setter: string): bigint | undefined => images[setters.indexOf(setter)]?.image;

  assert.is(of('add eax, ebx'), 0x55n); // 0, carried: CF PF AF ZF
  assert.is(of('inc ebx'), 0x895n); // 80000000h, CF as before: CF PF AF SF OF
  assert.is(of('cmp eax, eax'), 0x44n);
  assert.is(of('shl eax, 0'), 0x95n); // of cmp 3, 4: CF PF AF SF
  assert.is(of('clc'), 0x94n);
});

test.run();
