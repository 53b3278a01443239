/**
 * Random programs that end by construction: runs of recorded instruction forms, joined by branches, loops, calls, jump
 * tables and string instructions. Pointers survive, since no form that writes them is taken; flags that the manual leaves
 * undefined are defined anew before somebody reads them.
 */
import { type Flag, flagNames } from '../../runtime/ir/ops.ts';
import { RAX, RCX, RDI, RSI, RSP } from '../../runtime/x86/registers.ts';
import { type CpuState, type CpuWidth, type MemoryWindow, regions } from './cpu-oracle.ts';
import { type FormPool, FormWriter } from './lockstep-form-writer.ts';
import { conditionFlags, type Program, slotSize } from './lockstep-items.ts';
import type { Random } from './random.ts';
import { baseState } from './vectors/state.ts';

const data = { address: 0x2000_0000n, length: 0x3000 };
const stack = { address: 0x3000_0800n, length: 0x1400 };
/** Words out of reach of the forms: counters of loops, then jump tables. */
const counters = 0x2000_3f00;
const tables = 0x2000_3800n;
const mostTables = 6;
const tableBytes = 32;
const mostSubroutines = 3;

/** `blocks`: straight lines of 2 to 10 instructions; else whole programs, `long` ones within a loop. */
export type Kind = 'blocks' | 'programs' | 'long';

/** `slot` is the program's place in the code region. */
export function randomProgram(
  mode: CpuWidth,
  pool: FormPool,
  random: Random,
  kind: Kind,
  slot: number,
): Program {
  return new Writer(mode, pool, random, slot).program(kind);
}

class Writer {
  readonly #forms: FormWriter;
  readonly #random: Random;
  readonly #slot: number;
  readonly #tables: { address: bigint; labels: string[] }[] = [];
  readonly #entries: string[] = [];
  #loops = 0;
  /** Subroutines may call those after them. */
  #level = 0;

  constructor(mode: CpuWidth, pool: FormPool, random: Random, slot: number) {
    this.#forms = new FormWriter(mode, pool, random);
    this.#random = random;
    this.#slot = slot;
  }

  program(kind: Kind): Program {
    const random = this.#random;
    if (kind === 'blocks') {
      this.#forms.bases.add(RSP); // in programs return addresses lie there
      this.#forms.run(2 + random.below(9));
      this.#forms.add(this.#forms.encoder.code('int3', 0xcc));
    } else {
      if (kind === 'long') this.#longLoop();
      else this.#body(3, 1 + random.below(4));
      this.#forms.add(this.#forms.encoder.code('int3', 0xcc));
      for (this.#level = 1; this.#level <= mostSubroutines; this.#level++) this.#subroutine();
    }
    const state = baseState(this.#forms.mode);
    state.rip = regions[0].address + BigInt(this.#slot * slotSize);
    for (const i of this.#forms.free) state.regs[i] = this.#forms.value();
    if (kind === 'long') this.#movePointer(state);
    state.rflags = 0x202n | (BigInt(random.below(0x1000)) & 0x8d5n);
    state.xmm = state.xmm.map(() => (this.#forms.wide() << 64n) | this.#forms.wide());
    return {
      mode: this.#forms.mode,
      items: this.#forms.items,
      tables: this.#tables,
      state,
      memory: this.#memory(),
      entries: this.#entries.filter(() => random.below(3) === 0),
      polls: random.below(3) === 0 ? 8 + random.below(20) : 1_000_000,
    };
  }

  /** Some programs have a pointer just below the border of two pages. */
  #movePointer(state: CpuState): void {
    const [pointer] = this.#forms.bases;
    if (pointer === undefined || pointer === RSP || !this.#forms.chance(4)) return;
    const border = 0x2000_1000 + 0x1000 * this.#random.below(2);
    state.regs[pointer] = BigInt(border - this.#random.below(24));
  }

  #memory(): MemoryWindow[] {
    return [data, stack].map(({ address, length }) => ({
      address,
      bytes: this.#random.bytes(length),
    }));
  }

  // Control flow.

  #body(depth: number, count: number): void {
    for (let i = 0; i < count; i++) {
      this.#forms.run(this.#random.below(4));
      if (depth > 0) this.#construct(depth - 1);
    }
  }

  #construct(depth: number): void {
    const body = (): void => this.#body(depth, 1 + this.#random.below(2));
    const constructs = [
      () => this.#if(body),
      () => this.#if(body),
      () => this.#ifElse(body),
      () => this.#loop(body),
      () => this.#loop(body),
      () => this.#call(),
      () => this.#call(),
      () => this.#pushed(body),
      () => this.#switch(body),
      () => this.#string(),
      () => this.#computedJump(),
      () => this.#ownAddress(),
      () => this.#flagsImage(),
    ];
    this.#forms.one(constructs)();
  }

  /** A program whose parts run often. */
  #longLoop(): void {
    const e = this.#forms.encoder;
    const head = this.#forms.label();
    const counter = counters + 8 * this.#loops++;
    this.#forms.add(e.storeImmediate(counter, 1 + this.#random.below(200)));
    this.#forms.mark(head);
    this.#body(3, 2 + this.#random.below(4));
    this.#forms.add(e.subtractMemory(counter), e.conditional(5, head, false));
    this.#forms.undefined = new Set();
  }

  #jumpIf(label: string): void {
    const condition = this.#random.below(16);
    this.#forms.define(conditionFlags[condition >> 1] ?? []);
    this.#forms.add(this.#forms.encoder.conditional(condition, label, false));
  }

  /** What either way may leave undefined is undefined where they meet. */
  #branching(way: () => void): void {
    const before = new Set(this.#forms.undefined);
    way();
    for (const flag of before) this.#forms.undefined.add(flag);
  }

  #if(body: () => void): void {
    const end = this.#forms.label();
    this.#jumpIf(end);
    this.#branching(body);
    this.#forms.mark(end);
  }

  #ifElse(body: () => void): void {
    const otherwise = this.#forms.label();
    const end = this.#forms.label();
    this.#jumpIf(otherwise);
    this.#branching(() => {
      body();
      this.#forms.add(this.#forms.encoder.jump(end));
    });
    this.#forms.mark(otherwise);
    this.#branching(body);
    this.#forms.mark(end);
  }

  /** Counts in memory, so that a body may do as it likes; innermost ones count in a register. */
  #loop(body: () => void): void {
    const e = this.#forms.encoder;
    const head = this.#forms.label();
    const count = 1 + this.#random.below(4);
    const register = this.#forms.one(this.#forms.free);
    if (this.#forms.chance(2) && !this.#forms.kept.has(register)) {
      this.#forms.add(e.moveImmediate(register, count));
      this.#forms.kept.add(register);
      this.#forms.mark(head);
      this.#branching(() => this.#forms.run(1 + this.#random.below(4)));
      this.#forms.kept.delete(register);
      if (register === RCX && this.#forms.chance(2)) this.#countdown(head);
      else this.#forms.add(e.decrement(register), e.conditional(5, head, false));
      this.#forms.undefined.delete('ZF');
      return;
    }
    const counter = counters + 8 * (this.#loops++ % 32);
    this.#forms.add(e.storeImmediate(counter, count));
    this.#forms.mark(head);
    this.#branching(body);
    const step = this.#forms.chance(2) ? e.decrementMemory(counter) : e.subtractMemory(counter);
    this.#forms.add(step, e.conditional(5, head, false));
  }

  #countdown(head: string): void {
    this.#forms.add(
      this.#forms.encoder.code('nop', 0x90),
      { kind: 'near', text: 'loop by way of', bytes: [0xe9], label: `${head}x` },
      { kind: 'label', label: `${head}y` },
      this.#forms.encoder.jump(head),
      { kind: 'label', label: `${head}x` },
      { kind: 'short', text: 'loop', bytes: [0xe2], label: `${head}y` },
    );
  }

  #call(): void {
    const level = this.#level + 1;
    if (level > mostSubroutines) {
      this.#forms.run(2);
      return;
    }
    const target = `S${level + this.#random.below(mostSubroutines - level + 1)}`;
    const e = this.#forms.encoder;
    const register = this.#forms.one(this.#forms.free);
    const way = this.#random.below(4);
    if (way === 0 && !this.#forms.kept.has(register))
      this.#forms.add(e.moveAddress(register, target), e.callRegister(register));
    else this.#forms.add(e.call(target));
    this.#forms.undefined = this.#unknownFlags();
  }

  /** Flags that cross a call: half of the time they are taken to be defined, and programs where they are not are skipped. */
  #unknownFlags(): Set<Flag> {
    return new Set(this.#forms.chance(2) ? [] : flagNames);
  }

  /** Ends by a return, by a jump to another subroutine, or by going on elsewhere. */
  #subroutine(): void {
    const e = this.#forms.encoder;
    const name = `S${this.#level}`;
    this.#forms.undefined = this.#unknownFlags();
    this.#forms.mark(name);
    this.#entries.push(name);
    if (this.#forms.chance(4)) this.#recursion(name);
    this.#body(1, 1 + this.#random.below(2));
    if (this.#forms.chance(2)) this.#forms.define(flagNames);
    const way = this.#random.below(4);
    if (way === 0 && this.#level < mostSubroutines) {
      this.#forms.add(e.jump(`S${this.#level + 1}`));
    } else if (way === 1) {
      const back = this.#forms.one(this.#forms.free);
      this.#forms.add(e.pop(back), e.jumpRegister(back));
    } else {
      this.#forms.add(e.code('ret', 0xc3));
    }
  }

  /** Calls itself a few times; the counter is in memory, and zero at first. */
  #recursion(name: string): void {
    const e = this.#forms.encoder;
    const end = this.#forms.label();
    const counter = counters + 8 * (this.#loops++ % 32);
    this.#forms.add(e.decrementMemory(counter));
    // Counts from 0 down to -5 over the whole program: then no more.
    const enough = this.#forms.mode === 64 ? [0x83, 0x3c, 0x25] : [0x83, 0x3d];
    const address = [0, 8, 16, 24].map((shift) => (counter >> shift) & 0xff);
    this.#forms.add(e.code('cmp dword [counter], -5', ...enough, ...address, 0xfb));
    this.#forms.add(e.conditional(0xc, end, false), e.call(name));
    this.#forms.mark(end);
    this.#forms.undefined = new Set(flagNames);
  }

  #pushed(body: () => void): void {
    const e = this.#forms.encoder;
    const saved = Array.from({ length: 1 + this.#random.below(3) }, () =>
      this.#forms.one(this.#forms.free),
    );
    for (const register of saved) this.#forms.add(e.push(register));
    body();
    for (let i = 0; i < saved.length; i++) {
      const register = this.#forms.one(this.#forms.free);
      if (this.#forms.kept.has(register))
        this.#forms.add(e.code('pop by lea', ...this.#dropWord()));
      else this.#forms.add(e.pop(register));
    }
  }

  /** lea rsp, [rsp + word] */
  #dropWord(): number[] {
    return this.#forms.mode === 64 ? [0x48, 0x8d, 0x64, 0x24, 8] : [0x8d, 0x64, 0x24, 4];
  }

  #switch(body: () => void): void {
    const e = this.#forms.encoder;
    const index = this.#forms.one(this.#forms.free.filter((register) => register !== RSP));
    if (this.#forms.kept.has(index) || this.#tables.length === mostTables) return;
    const end = this.#forms.label();
    const labels = Array.from({ length: 4 }, () => this.#forms.label());
    const place = this.#slot * mostTables + this.#tables.length;
    const address = tables + BigInt(tableBytes * place);
    this.#tables.push({ address, labels });
    this.#forms.add(e.andImmediate(index, 3), e.jumpTable(index, Number(address)));
    this.#forms.undefined = new Set([...this.#forms.undefined, 'AF']);
    const before = this.#forms.undefined;
    const after = new Set<Flag>();
    for (const label of labels) {
      this.#forms.mark(label);
      this.#forms.undefined = new Set(before);
      if (this.#forms.chance(2)) body();
      else this.#forms.run(1 + this.#random.below(3));
      this.#forms.add(e.jump(end));
      for (const flag of this.#forms.undefined) after.add(flag);
    }
    this.#forms.undefined = after;
    this.#forms.mark(end);
  }

  /** A string instruction on the data, upwards or downwards, then the pointers as they were. */
  #string(): void {
    const e = this.#forms.encoder;
    if ([RCX, RSI, RDI, RAX].some((r) => this.#forms.kept.has(r) && !this.#forms.bases.has(r)))
      return;
    const down = this.#forms.chance(4);
    const place = (): number => 0x2000_0400 + this.#random.below(0x800);
    this.#forms.add(e.moveImmediate(RSI, place()), e.moveImmediate(RDI, place()));
    this.#forms.add(e.moveImmediate(RCX, this.#random.below(12)));
    if (down) this.#forms.add(e.code('std', 0xfd));
    const compares = this.#forms.chance(2);
    const opcode = this.#forms.one(
      compares ? [0xa6, 0xa7, 0xae, 0xaf] : [0xa4, 0xa5, 0xaa, 0xab, 0xad],
    );
    const width = this.#forms.one([[], [0x66], [], this.#forms.mode === 64 ? [0x48] : []]);
    const repeat = this.#forms.one([[0xf3], [0xf3], [0xf2], []]);
    const text = `${repeat.map((byte) => byte.toString(16)).join()} string ${opcode.toString(16)}`;
    this.#forms.add(e.code(text, ...repeat, ...width, opcode));
    if (down) this.#forms.add(e.code('cld', 0xfc));
    for (const register of [RSI, RDI]) {
      const pointer = Number(baseState(this.#forms.mode).regs[register] ?? 0n);
      if (this.#forms.bases.has(register)) this.#forms.add(e.moveImmediate(register, pointer));
    }
  }

  /** push offset; ret, or mov; jmp: flow that the recompiler cannot see. */
  #computedJump(): void {
    const e = this.#forms.encoder;
    const to = this.#forms.label();
    const register = this.#forms.one(this.#forms.free);
    if (this.#forms.chance(2) && !this.#forms.kept.has(register))
      this.#forms.add(e.moveAddress(register, to), e.jumpRegister(register));
    else this.#forms.add(e.pushAddress(to), e.code('ret', 0xc3));
    if (this.#forms.chance(2)) this.#forms.add(e.code('bytes that are no code', 0x0f, 0x0b, 0xe8));
    this.#forms.mark(to);
  }

  /** call next; next: pop reg: how position-independent code learns where it is. */
  #ownAddress(): void {
    const e = this.#forms.encoder;
    const register = this.#forms.one(this.#forms.free);
    if (this.#forms.kept.has(register)) return;
    const next = this.#forms.label();
    this.#forms.add(e.call(next));
    this.#forms.mark(next);
    this.#forms.add(e.pop(register));
  }

  #flagsImage(): void {
    const e = this.#forms.encoder;
    const register = this.#forms.one(this.#forms.free);
    if (this.#forms.kept.has(register)) return;
    this.#forms.define(flagNames);
    this.#forms.add(e.code('pushf', 0x9c), e.pop(register));
  }
}
