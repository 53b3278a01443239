/**
 * Expressions of one function as numbers in one array, since a function has thousands and objects would keep the garbage
 * collector busy: each is a kind, two arguments, and its children. What does not fit a number lies in a list beside it.
 */
import type { ByteWriter } from './byte-writer.ts';
import type { Expression } from './emitter.ts';
import { firstLong, longOpcodes } from './opcodes.ts';

// biome-ignore format: a table
export const kinds = {
  /** Only its children. */ sequence: 0,
  /** First argument of this and the next ones: the opcode's number. */ code: 1,
  i32: 2, /** Fits 32 bits. */ i64: 3, /** Place in `bigs`. */ i64Big: 4, v128: 5,
  /** Opcode and offset. */ access: 6,
  /** Opcode and lane. */ lane: 7,
  /** Opcode and place in `lists` of more bytes. */ bytes: 8,
  /** Opcode and number. */ numbered: 9,
  /** Opcode and label; children inside. */ structure: 10,
  /** Opcode and label. */ branch: 11,
  /** The same of a branch that is hardly ever taken. */ rareBranch: 15,
  /** Place in `lists` of labels, the last for all other values. */ branchTable: 12,
  /** Function and place in `lists` of the locals that its results go to, or -1. */ call: 13,
  /** Signature and place in `lists` of the locals. */ callIndirect: 14,
} as const;

/** A module of one function is the most frequent: larger arrays are garbage to collect. */
const firstWords = 1 << 12;
const headerLength = 4;
const voidBlock = 0x40;
const endCode = 0x0b;
const getCode = 0x20;
const setCode = 0x21;
const teeCode = 0x22;

/** The label of an `if` that is hardly ever taken; no branch goes there. */
export const rareLabel = -2;

export class ExpressionPool {
  /** Where, in what was written last, the instructions lie that are hardly ever taken. */
  readonly rare: number[] = [];
  /** Kind, arguments, number of children, children; an expression is where it begins. */
  #words = new Int32Array(firstWords);
  #length = 0;
  #lists: (readonly number[])[] = [];
  #bigs: bigint[] = [];
  // The expressions that `write` is inside of, and the child that comes next in each.
  readonly #open: Expression[] = [];
  readonly #next: number[] = [];
  readonly #labels: number[] = [];
  /** Where each label stood in `#labels` last: searched for, a branch out of a thousand blocks takes a thousand steps. */
  readonly #places: number[] = [];
  /** Where the last `local.set` written begins and ends, and its local. */
  readonly #set = { at: 0, end: -1, local: 0 };

  clear(): void {
    this.#length = 0;
    this.#lists = [];
    this.#bigs = [];
  }

  leaf(kind: number, first: number, second: number): Expression {
    return this.#header(kind, first, second, 0);
  }

  unary(kind: number, first: number, second: number, child: Expression): Expression {
    const at = this.#header(kind, first, second, 1);
    this.#words[at + headerLength] = child;
    return at;
  }

  binary(kind: number, first: number, second: number, a: Expression, b: Expression): Expression {
    const at = this.#header(kind, first, second, 2);
    this.#words[at + headerLength] = a;
    this.#words[at + headerLength + 1] = b;
    return at;
  }

  add(kind: number, first: number, second: number, children: readonly Expression[]): Expression {
    const at = this.#header(kind, first, second, children.length);
    for (let i = 0; i < children.length; i++) this.#words[at + headerLength + i] = children[i] ?? 0;
    return at;
  }

  #header(kind: number, first: number, second: number, children: number): Expression {
    const at = this.#length;
    this.#length = at + headerLength + children;
    if (this.#length > this.#words.length) this.#grow(this.#length);
    const words = this.#words;
    words[at] = kind;
    words[at + 1] = first;
    words[at + 2] = second;
    words[at + 3] = children;
    return at;
  }

  list(list: readonly number[]): number {
    return this.#lists.push(list) - 1;
  }

  big(value: bigint): number {
    return this.#bigs.push(value) - 1;
  }

  /** An expression of one opcode turned into another's; undefined where it is another. */
  recode(kind: number, at: Expression, from: number, to: number): Expression | undefined {
    if (this.#word(at) !== kind || this.#word(at + 1) !== from) return undefined;
    this.#words[at + 1] = to;
    return at;
  }

  /** What an expression of one opcode has as its only child; undefined where it is another. */
  childOf(kind: number, at: Expression, code: number): Expression | undefined {
    if (this.#word(at) !== kind || this.#word(at + 1) !== code) return undefined;
    return this.#word(at + headerLength);
  }

  /** In order, with a stack of its own for what has children: blocks nest by the thousand. */
  write(root: Expression, w: ByteWriter): void {
    const open = this.#open;
    const next = this.#next;
    this.#set.end = -1;
    this.rare.length = 0;
    this.#enter(root, w);
    while (open.length > 0) {
      const last = open.length - 1;
      const at = open[last] ?? 0;
      const child = next[last] ?? 0;
      if (child < this.#word(at + 3)) {
        next[last] = child + 1;
        this.#enter(this.#word(at + headerLength + child), w);
        continue;
      }
      open.pop();
      next.pop();
      this.#writeCode(at, w);
    }
  }

  #enter(at: Expression, w: ByteWriter): void {
    if (this.#word(at) === kinds.structure) {
      if (this.#word(at + 2) === rareLabel) this.rare.push(w.length);
      w.byte(this.#word(at + 1));
      w.byte(voidBlock);
      const label = this.#word(at + 2);
      const place = this.#labels.push(label) - 1;
      if (label >= 0) this.#places[label] = place;
    } else if (this.#word(at + 3) === 0) {
      this.#writeCode(at, w);
      return;
    }
    this.#open.push(at);
    this.#next.push(0);
  }

  #writeCode(at: Expression, w: ByteWriter): void {
    const first = this.#word(at + 1);
    const second = this.#word(at + 2);
    switch (this.#word(at)) {
      case kinds.sequence:
        break;
      case kinds.code:
        writeOpcode(w, first);
        break;
      case kinds.i32:
        w.byte(0x41);
        w.signed32(first);
        break;
      case kinds.i64:
        w.byte(0x42);
        w.signed32(first);
        break;
      case kinds.numbered:
        this.#writeNumbered(first, second, w);
        break;
      case kinds.access:
        writeOpcode(w, first);
        // Alignment is a hint; 1 is always true.
        w.byte(0);
        w.unsigned(second);
        break;
      default:
        this.#writeRare(at, w);
    }
  }

  /** What is set and asked for at once is left on the stack. */
  #writeNumbered(code: number, number: number, w: ByteWriter): void {
    const set = this.#set;
    if (code === getCode && set.end === w.length && set.local === number) {
      w.patch(set.at, teeCode);
      set.end = -1;
      return;
    }
    const at = w.length;
    w.byte(code);
    w.unsigned(number);
    if (code !== setCode) return;
    set.at = at;
    set.end = w.length;
    set.local = number;
  }

  #writeRare(at: Expression, w: ByteWriter): void {
    const first = this.#word(at + 1);
    const second = this.#word(at + 2);
    switch (this.#word(at)) {
      case kinds.i64Big:
        w.byte(0x42);
        w.signed64(this.#big(first));
        break;
      case kinds.v128:
        writeOpcode(w, second);
        for (let i = 0n; i < 16n; i++) w.byte(Number((this.#big(first) >> (8n * i)) & 0xffn));
        break;
      case kinds.lane:
        writeOpcode(w, first);
        w.byte(second);
        break;
      case kinds.bytes:
        writeOpcode(w, first);
        w.bytes(this.#list(second));
        break;
      default:
        this.#writeControl(at, w);
    }
  }

  #writeControl(at: Expression, w: ByteWriter): void {
    const first = this.#word(at + 1);
    const second = this.#word(at + 2);
    switch (this.#word(at)) {
      case kinds.structure:
        w.byte(endCode);
        this.#labels.pop();
        break;
      case kinds.rareBranch:
        this.rare.push(w.length);
        w.byte(first);
        w.unsigned(this.#depth(second));
        break;
      case kinds.branch:
        w.byte(first);
        w.unsigned(this.#depth(second));
        break;
      case kinds.branchTable: {
        const targets = this.#list(first);
        w.byte(0x0e);
        w.unsigned(targets.length - 1);
        for (const label of targets) w.unsigned(this.#depth(label));
        break;
      }
      case kinds.call:
        w.byte(0x10);
        w.unsigned(first);
        if (second >= 0) writeResults(w, this.#list(second));
        break;
      case kinds.callIndirect:
        w.byte(0x11);
        w.unsigned(first);
        w.byte(0);
        writeResults(w, this.#list(second));
        break;
    }
  }

  #depth(label: number): number {
    const known = this.#places[label] ?? -1;
    // One of the same name may have stood inside of it.
    const at = this.#labels[known] === label ? known : this.#labels.lastIndexOf(label);
    if (at < 0) throw new TypeError('a branch to a label that is not around it');
    return this.#labels.length - 1 - at;
  }

  #word(at: number): number {
    return this.#words[at] ?? 0;
  }

  #list(index: number): readonly number[] {
    return this.#lists[index] ?? [];
  }

  #big(index: number): bigint {
    return this.#bigs[index] ?? 0n;
  }

  #grow(length: number): void {
    const larger = new Int32Array(Math.max(this.#words.length * 2, length));
    larger.set(this.#words);
    this.#words = larger;
  }
}

function writeOpcode(w: ByteWriter, number: number): void {
  if (number < firstLong) w.byte(number);
  else w.bytes(longOpcodes[number - firstLong] ?? []);
}

/** The last result is on top. */
function writeResults(w: ByteWriter, locals: readonly number[]): void {
  for (let i = locals.length - 1; i >= 0; i--) {
    w.byte(setCode);
    w.unsigned(locals[i] ?? 0);
  }
}
