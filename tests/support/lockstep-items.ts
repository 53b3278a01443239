/** Random guest programs as lists of items: encoded instructions, labels, and branches that are resolved when they are placed. */
import type { Mode } from '../../runtime/x86/registers.ts';
import type { CpuState, MemoryWindow } from './cpu-oracle.ts';
import { registerNames } from './vectors/state.ts';

export type Item =
  | {
      readonly kind: 'code';
      readonly text: string;
      readonly bytes: readonly number[];
      readonly relative?: Relative | undefined;
    }
  | { readonly kind: 'label'; readonly label: string }
  /** The operand, last, is the distance to the label, or its address. */
  | {
      readonly kind: 'near' | 'short' | 'address';
      readonly text: string;
      readonly bytes: readonly number[];
      readonly label: string;
    };

/** A displacement of 32 bits that counts from the end of its instruction. */
export interface Relative {
  readonly offset: number;
  readonly target: bigint;
}

export interface Program {
  readonly mode: Mode;
  readonly items: readonly Item[];
  /** Words of memory that hold addresses of labels. */
  readonly tables: readonly { readonly address: bigint; readonly labels: readonly string[] }[];
  readonly state: CpuState;
  readonly memory: readonly MemoryWindow[];
  /** Labels that the recompiler is told to be entries of functions. */
  readonly entries: readonly string[];
  /** How many polls a turn has. */
  readonly polls: number;
}

export interface Placed {
  readonly code: Uint8Array;
  readonly labels: ReadonlyMap<string, bigint>;
}

const sizes = { near: 4, short: 1, address: 4 } as const;

const sizeOf = (item: Item): number =>
  item.kind === 'label' ? 0 : item.bytes.length + (item.kind === 'code' ? 0 : sizes[item.kind]);

/** Programs that run on one vCPU lie in the oracle's code region side by side. */
export const slots = 8;
export const slotSize = 0x1000;

/** Throws RangeError where a short branch is too far. */
export function place(items: readonly Item[], base: bigint): Placed {
  const labels = new Map<string, bigint>();
  let at = base;
  for (const item of items) {
    if (item.kind === 'label') labels.set(item.label, at);
    at += BigInt(sizeOf(item));
  }
  const bytes: number[] = [];
  for (const item of items) {
    if (item.kind === 'label') continue;
    const start = bytes.length;
    bytes.push(...item.bytes);
    if (item.kind === 'code') {
      if (item.relative === undefined) continue;
      const { offset, target } = item.relative;
      const distance = Number(target - base) - bytes.length;
      bytes.splice(start + offset, 4, ...dword(distance));
      continue;
    }
    const target = labels.get(item.label);
    if (target === undefined) throw new TypeError(`no label ${item.label}`);
    const next = base + BigInt(bytes.length + sizes[item.kind]);
    bytes.push(...operand(item.kind, target, next));
  }
  return { code: Uint8Array.from(bytes), labels };
}

function operand(kind: 'near' | 'short' | 'address', target: bigint, next: bigint): number[] {
  if (kind === 'address') return dword(Number(target));
  const distance = Number(target - next);
  if (kind === 'near') return dword(distance);
  if (distance < -128 || distance > 127) throw new RangeError('a short branch is too far');
  return [distance & 0xff];
}

export const dword = (value: number): number[] => [
  value & 0xff,
  (value >> 8) & 0xff,
  (value >> 16) & 0xff,
  (value >>> 24) & 0xff,
];

/** What to look at when a program goes wrong. */
export function listing({ mode, items, tables, state: { rip: base } }: Program): string {
  const { code } = place(items, base);
  const named = new Set(
    items.flatMap((item) => ('label' in item && item.kind !== 'label' ? [item.label] : [])),
  );
  for (const { labels } of tables) for (const label of labels) named.add(label);
  const lines: string[] = [];
  let at = 0;
  for (const item of items) {
    if (item.kind === 'label') {
      if (named.has(item.label)) lines.push(`${item.label}:`);
      continue;
    }
    const size = sizeOf(item);
    const bytes = Buffer.from(code.subarray(at, at + size)).toString('hex');
    const target = item.kind === 'code' ? '' : ` ${item.label}`;
    lines.push(`  ${(Number(base) + at).toString(16)} ${bytes.padEnd(24)} ${item.text}${target}`);
    at += size;
  }
  for (const { address, labels } of tables)
    lines.push(`  table ${address.toString(16)}: ${labels.join(' ')}`);
  return `${mode}-bit\n${lines.join('\n')}`;
}

/** Encodings of what programs are joined with; register numbers as in encodings. */
export class Encoder {
  readonly mode: Mode;

  constructor(mode: Mode) {
    this.mode = mode;
  }

  code(text: string, ...bytes: number[]): Item {
    return { kind: 'code', text, bytes };
  }

  name(register: number): string {
    return registerNames[this.mode][register] ?? '?';
  }

  /** REX.B, where the register needs it. */
  #rex(register: number): number[] {
    return register >= 8 ? [0x41] : [];
  }

  moveImmediate(register: number, value: number): Item {
    return this.code(
      `mov ${this.name(register)}, 0x${(value >>> 0).toString(16)} (32 bits)`,
      ...[...this.#rex(register), 0xb8 + (register & 7), ...dword(value)],
    );
  }

  moveAddress(register: number, label: string): Item {
    const text = `mov ${this.name(register)}, offset`;
    return {
      kind: 'address',
      text,
      bytes: [...this.#rex(register), 0xb8 + (register & 7)],
      label,
    };
  }

  decrement(register: number): Item {
    const bytes = [...this.#rex(register), 0xff, 0xc8 + (register & 7)];
    return this.code(`dec ${this.name(register)} (32 bits)`, ...bytes);
  }

  andImmediate(register: number, value: number): Item {
    const bytes = [...this.#rex(register), 0x83, 0xe0 + (register & 7), value];
    return this.code(`and ${this.name(register)}, ${value} (32 bits)`, ...bytes);
  }

  /** ModRM, SIB and displacement of an absolute address. */
  #absolute(digit: number, address: number): number[] {
    return this.mode === 64
      ? [(digit << 3) | 4, 0x25, ...dword(address)]
      : [(digit << 3) | 5, ...dword(address)];
  }

  storeImmediate(address: number, value: number): Item {
    const bytes = [0xc7, ...this.#absolute(0, address), ...dword(value)];
    return this.code(`mov dword [0x${address.toString(16)}], ${value}`, ...bytes);
  }

  decrementMemory(address: number): Item {
    const bytes = [0xff, ...this.#absolute(1, address)];
    return this.code(`dec dword [0x${address.toString(16)}]`, ...bytes);
  }

  subtractMemory(address: number): Item {
    const bytes = [0x83, ...this.#absolute(5, address), 1];
    return this.code(`sub dword [0x${address.toString(16)}], 1`, ...bytes);
  }

  jumpTable(index: number, table: number): Item {
    const scale = this.mode === 64 ? 3 : 2;
    const bytes = [
      ...(index >= 8 ? [0x42] : []),
      ...[0xff, 0x24, (scale << 6) | ((index & 7) << 3) | 5, ...dword(table)],
    ];
    return this.code(
      `jmp [0x${table.toString(16)} + ${this.name(index)} * ${2 ** scale}]`,
      ...bytes,
    );
  }

  callRegister(register: number): Item {
    const bytes = [...this.#rex(register), 0xff, 0xd0 + (register & 7)];
    return this.code(`call ${this.name(register)}`, ...bytes);
  }

  jumpRegister(register: number): Item {
    const bytes = [...this.#rex(register), 0xff, 0xe0 + (register & 7)];
    return this.code(`jmp ${this.name(register)}`, ...bytes);
  }

  push(register: number): Item {
    const bytes = [...this.#rex(register), 0x50 + (register & 7)];
    return this.code(`push ${this.name(register)}`, ...bytes);
  }

  pop(register: number): Item {
    const bytes = [...this.#rex(register), 0x58 + (register & 7)];
    return this.code(`pop ${this.name(register)}`, ...bytes);
  }

  pushAddress(label: string): Item {
    return { kind: 'address', text: 'push offset', bytes: [0x68], label };
  }

  conditional(condition: number, label: string, isShort: boolean): Item {
    const text = `j${conditionNames[condition & 15]}`;
    return isShort
      ? { kind: 'short', text, bytes: [0x70 + condition], label }
      : { kind: 'near', text, bytes: [0x0f, 0x80 + condition], label };
  }

  jump(label: string): Item {
    return { kind: 'near', text: 'jmp', bytes: [0xe9], label };
  }

  call(label: string): Item {
    return { kind: 'near', text: 'call', bytes: [0xe8], label };
  }
}

const conditionNames = 'o no b ae e ne be a s ns p np l ge le g'.split(' ');
/** Flags that a condition reads, by its number in the encoding (SDM vol. 1, appendix B). */
export const conditionFlags = [
  ...[['OF'], ['CF'], ['ZF'], ['CF', 'ZF'], ['SF'], ['PF'], ['SF', 'OF'], ['SF', 'OF', 'ZF']],
] as const;
