/**
 * The page that Xen writes for guests to call: 32 bytes of position-independent code for each hypercall, which guests copy
 * elsewhere as well. What is no hypercall is filled with INT3.
 */
import { HYPERCALLS } from '../../abi/xen.ts';
import type { Width } from '../../elf/image.ts';
import { pageSize } from '../../memory/machine-memory.ts';

const entryBytes = 32;
const int3 = 0xcc;
const pushRcx = [0x51];
const pushR11 = [0x41, 0x53];
const popR11 = [0x41, 0x5b];
const popRcx = [0x59];
const pushRax = [0x50];
const syscall = [0x0f, 0x05];
const int82 = [0xcd, 0x82];
const ret = [0xc3];
const movEax = (number: number): number[] => [0xb8, number, 0, 0, 0];

const entries: Readonly<Record<Width, (number: number) => readonly number[]>> = {
  64: (number) => [
    ...[...pushRcx, ...pushR11, ...movEax(number), ...syscall],
    ...[...popR11, ...popRcx, ...ret],
  ],
  32: (number) => [...movEax(number), ...int82, ...ret],
};

/** It does not come back: what Xen restores lies on the stack. */
const iret: Readonly<Record<Width, readonly number[]>> = {
  64: [...pushRcx, ...pushR11, ...pushRax, ...movEax(HYPERCALLS.iret), ...syscall],
  32: [...pushRax, ...movEax(HYPERCALLS.iret), ...int82],
};

export function hypercallPage(width: Width): Uint8Array {
  const page = new Uint8Array(pageSize).fill(int3);
  for (let number = 0; number < pageSize / entryBytes; number++) {
    const code = number === HYPERCALLS.iret ? iret[width] : entries[width](number);
    page.set(code, number * entryBytes);
  }
  return page;
}
