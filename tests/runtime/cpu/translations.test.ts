/** Translating, forgetting and translating again: modules, places of the function table and memory stay bounded. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RBX, RDI } from '../../../runtime/x86/registers.ts';
import { type AssemblyGuest, codeStart, guestOf } from '../../support/lockstep-guest.ts';
import { isFull } from '../../support/program.ts';

const test = suite('runtime/cpu/translations');

/** Functions of a chain, each of which adds to rbx, and calls the next by a jump over its return. */
const chain = 50;
const bytesEach = 32;
const buffer = codeStart + 0x1_0000n;

/** add ebx, step; call the next, but for the last; ret. */
function chainOf(step: number): Uint8Array {
  const code = new Uint8Array(chain * bytesEach).fill(0xcc);
  for (let i = 0; i < chain; i++) {
    const call = i < chain - 1 ? [0xe8, bytesEach - 8, 0, 0, 0] : [];
    code.set([0x83, 0xc3, (step + i) & 0x7f, ...call, 0xc3], i * bytesEach);
  }
  return code;
}

const sumOf = (step: number): number =>
  Array.from({ length: chain }, (_, i) => (step + i) & 0x7f).reduce((sum, add) => sum + add, 0);

/** The kernel writes a chain of functions, the guest runs it; the next time all of them are other functions. */
async function round(guest: AssemblyGuest, step: number): Promise<void> {
  guest.kernelWrite(buffer, chainOf(step));
  guest.cpu.rip = guest.at('start');
  guest.cpu.setRegister(RBX, 0n);
  guest.cpu.setRegister(RDI, buffer);
  const leave = await guest.run();
  assert.is(leave.reason, 'hostCall');
  assert.is(guest.cpu.register(RBX), BigInt(sumOf(step)));
}

/** Resident bytes, when the garbage has been collected and the host has had some turns. */
async function residentBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage.rss();
}

const source = 'start: call rdi\nvmcall\nint3';

test('code that is replaced again and again leaves a few modules', async () => {
  const guest = await guestOf(64, source, { writable: true, polls: 0x7fff_ffff });

  for (let step = 0; step < 40; step++) await round(guest, step);

  assert.ok(guest.cpu.liveModules < 10, `${guest.cpu.liveModules} modules`);
});

test('many small functions found one by one become few modules, and still run', async () => {
  // Each is reached by its own computed call, so each is a translation of its own.
  const options = { writable: true, polls: 0x7fff_ffff, mostModules: 128 };
  const guest = await guestOf(64, source, options);
  const call = async (i: number): Promise<void> => {
    guest.cpu.rip = guest.at('start');
    guest.cpu.setRegister(RBX, 0n);
    guest.cpu.setRegister(RDI, buffer + BigInt(i * 16));
    await guest.run();
    assert.is(guest.cpu.register(RBX), BigInt(i & 0x7f));
  };
  for (let i = 0; i < 500; i++)
    guest.kernelWrite(buffer + BigInt(i * 16), Uint8Array.from([0x83, 0xc3, i & 0x7f, 0xc3]));

  for (let i = 0; i < 500; i++) await call(i);
  const modules = guest.cpu.liveModules;
  for (let i = 0; i < 500; i++) await call(i);

  assert.ok(modules <= 130, `${modules} modules`);
  assert.is(guest.cpu.liveModules, modules);
});

if (isFull)
  test('100,000 functions translated and forgotten take no more memory than 5,000', async () => {
    const guest = await guestOf(64, source, { writable: true, polls: 0x7fff_ffff });
    const rounds = 100_000 / chain;
    let first = 0;

    for (let step = 0; step < rounds; step++) {
      await round(guest, step);
      guest.cpu.setPolls(0x7fff_ffff);
      if ((step + 1) * chain === 5000) first = await residentBytes();
    }

    const last = await residentBytes();
    const ratio = last / first;
    assert.ok(ratio <= 1.2, `${last} bytes, ${ratio.toFixed(2)} times the ${first} before`);
  });

test.run();
