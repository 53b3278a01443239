/** The oracle itself: what it says of instructions whose effect the manual leaves in no doubt. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CpuCase,
  CpuOracle,
  type CpuResult,
  type CpuState,
  type CpuWidth,
} from './cpu-oracle.ts';

const test = suite<Record<CpuWidth, CpuOracle>>('support/cpu-oracle');

test.before(async (oracles) => {
  oracles[64] = await CpuOracle.start(64);
  oracles[32] = await CpuOracle.start(32);
});

test.after(async (oracles) => {
  await oracles[64].close();
  await oracles[32].close();
});

const RIP = 0x10000000n;
const DATA = 0x20000000n;
const STACK = 0x30002000n;

/** Every register distinct and every part of the state other than its reset value, where the CPU lets it be. */
function someState(width: CpuWidth): CpuState {
  const count = width === 64 ? 16 : 8;
  const regs = Array.from({ length: count }, (_, i) => 0x11111111n * BigInt(i + 1));
  regs[4] = STACK;
  return {
    regs: regs.map((value) => BigInt.asUintN(width, value)),
    rip: RIP,
    rflags: 0x202n,
    xmm: Array.from({ length: count }, (_, i) => (BigInt(i + 1) << 96n) | BigInt(i)),
    mxcsr: 0x1f80,
    fpu: { control: 0x37f, status: 0, tag: 0, registers: Array.from({ length: 8 }, () => 0n) },
  };
}

interface Arranged extends Partial<CpuCase> {
  edit?: (state: CpuState) => void;
}

async function runOne(
  oracle: CpuOracle,
  code: number[],
  { edit, memory = [], steps = 1 }: Arranged = {},
): Promise<CpuResult> {
  const state = someState(oracle.width);
  edit?.(state);
  const [result] = await oracle.run([{ code: Uint8Array.from(code), state, memory, steps }]);
  if (!result) throw new Error('no result');
  return result;
}

const one = 0x3fff8000000000000000n;

for (const width of [64, 32] as const) {
  test(`${width}: adc adds the carry and sets the flags`, async (oracles) => {
    // adc eax, ecx
    const { state, exception } = await runOne(oracles[width], [0x11, 0xc8], {
      edit: (input) => {
        input.regs[0] = 0xffffffffn;
        input.regs[1] = 0n;
        input.rflags = 0x203n;
      },
    });

    assert.is(exception, undefined);
    assert.is(state.regs[0], 0n);
    assert.is(state.rip, RIP + 2n);
    assert.is(state.rflags, 0x257n); // CF PF AF ZF
  });

  test(`${width}: what a nop does not touch comes back as it was`, async (oracles) => {
    const before = someState(width);
    before.rflags = 0xed7n; // CF PF AF ZF SF DF OF
    before.mxcsr = 0xffbf;
    before.fpu = {
      control: 0xe7f,
      status: 0x4700 | (3 << 11),
      tag: 0xa5,
      registers: Array.from({ length: 8 }, (_, i) => one + (BigInt(i) << 40n)),
    };

    const { state } = await runOne(oracles[width], [0x90], {
      edit: (input) => Object.assign(input, before),
    });

    assert.equal(state, { ...before, rip: RIP + 1n });
  });

  test(`${width}: a division by zero is vector 0 at the instruction`, async (oracles) => {
    // div ecx
    const { state, exception } = await runOne(oracles[width], [0xf7, 0xf1], {
      edit: (input) => {
        input.regs[1] = 0n;
      },
    });

    assert.equal(exception, { vector: 0, errorCode: 0, address: 0n });
    assert.is(state.rip, RIP);
  });

  test(`${width}: a misaligned movaps is vector 13`, async (oracles) => {
    // movaps xmm1, [esi]
    const { exception } = await runOne(oracles[width], [0x0f, 0x28, 0x0e], {
      edit: (input) => {
        input.regs[6] = DATA + 4n;
      },
    });

    assert.equal(exception, { vector: 13, errorCode: 0, address: 0n });
  });

  test(`${width}: a store past the data is vector 14 and tells the address`, async (oracles) => {
    // mov [esi], eax
    const { exception } = await runOne(oracles[width], [0x89, 0x06], {
      edit: (input) => {
        input.regs[6] = DATA + 0x3ffen;
      },
    });

    assert.equal(exception, { vector: 14, errorCode: 6, address: DATA + 0x4000n });
  });

  test(`${width}: ud2 is vector 6, int3 is vector 3 after its byte`, async (oracles) => {
    const undefinedOpcode = await runOne(oracles[width], [0x0f, 0x0b]);
    const breakpoint = await runOne(oracles[width], [0xcc]);

    assert.is(undefinedOpcode.exception?.vector, 6);
    assert.is(breakpoint.exception?.vector, 3);
    assert.is(breakpoint.state.rip, RIP + 1n);
  });

  test(`${width}: the x87 loads, adds and pops in stack order`, async (oracles) => {
    // fld1; fld1; fadd st0, st1; fld qword [esi]
    const code = [0xd9, 0xe8, 0xd9, 0xe8, 0xd8, 0xc1, 0xdd, 0x06];
    const { state, steps } = await runOne(oracles[width], code, {
      edit: (input) => {
        input.regs[6] = DATA;
      },
      memory: [{ address: DATA, bytes: Uint8Array.from([0, 0, 0, 0, 0, 0, 0xf0, 0xbf]) }],
      steps: 4,
    });

    assert.is(steps, 4);
    assert.is(state.fpu.tag, 0xe0);
    assert.is((state.fpu.status >> 11) & 7, 5);
    assert.equal(state.fpu.registers.slice(0, 3), [
      one | (1n << 79n),
      0x40008000000000000000n,
      one,
    ]);
  });

  test(`${width}: unmasked float exceptions are vectors 16 and 19`, async (oracles) => {
    // fldz; fld1; fdiv st0, st1; fwait
    const x87 = await runOne(oracles[width], [0xd9, 0xee, 0xd9, 0xe8, 0xd8, 0xf1, 0x9b], {
      edit: (input) => {
        input.fpu.control = 0x37b;
      },
      steps: 4,
    });
    // divps xmm0, xmm1
    const sse = await runOne(oracles[width], [0x0f, 0x5e, 0xc1], {
      edit: (input) => {
        input.mxcsr = 0x1d80;
        input.xmm[0] = 0x3f800000n;
        input.xmm[1] = 0n;
      },
    });

    assert.is(x87.exception?.vector, 16);
    assert.is(x87.state.fpu.status & 0x84, 0x84); // ES and ZE
    assert.is(sse.exception?.vector, 19);
  });

  test(`${width}: a repeated string instruction is one step and pushf stores no trap flag`, async (oracles) => {
    // std; rep movsb; pushf
    const { state, memory } = await runOne(oracles[width], [0xfd, 0xf3, 0xa4, 0x9c], {
      edit: (input) => {
        input.regs[1] = 3n;
        input.regs[6] = DATA + 3n;
        input.regs[7] = DATA + 7n;
      },
      memory: [
        { address: DATA, bytes: Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7]) },
        { address: STACK - BigInt(width / 8), bytes: new Uint8Array(4) },
      ],
      steps: 3,
    });

    assert.is(state.regs[1], 0n);
    assert.is(state.regs[7], DATA + 4n);
    assert.equal(memory[0]?.bytes, Uint8Array.from([0, 1, 2, 3, 4, 1, 2, 3]));
    assert.equal(memory[1]?.bytes, Uint8Array.from([0x02, 0x06, 0, 0])); // DF and IF
  });
}

test('a stack pointer that points nowhere does not disturb the oracle', async (oracles) => {
  // mov eax, esp
  const { state } = await runOne(oracles[64], [0x89, 0xe0], {
    edit: (input) => {
      input.regs[4] = 0xdead0000beef0001n;
    },
  });

  assert.is(state.regs[0], 0xbeef0001n);
  assert.is(state.regs[4], 0xdead0000beef0001n);
});

test('memory outside of the regions is refused', async (oracles) => {
  const memory = [{ address: 0x20003fffn, bytes: new Uint8Array(2) }];

  const error = await runOne(oracles[64], [0x90], { memory }).catch((reason: unknown) => reason);

  assert.match(String(error), 'refused');
});

test.run();
