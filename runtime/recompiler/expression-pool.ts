/**
 * Expressions of one function as numbers in one array, since a function has thousands and objects would keep the garbage
 * collector busy: each is a kind, two arguments, and its children. What does not fit a number lies in a list beside it.
 */
import type { ByteWriter } from './byte-writer.ts';
import type { Expression } from './emitter.ts';

// biome-ignore format: a table
export const kinds = {
  /** Only its children. */ sequence: 0,
  /** First argument: place in `lists` of the code. */ code: 1,
  i32: 2, /** Fits 32 bits. */ i64: 3, /** Place in `bigs`. */ i64Big: 4, v128: 5,
  /** Code and offset. */ access: 6,
  /** Code and lane. */ lane: 7,
  /** Code and place in `lists` of more bytes. */ bytes: 8,
  /** Opcode byte and number. */ numbered: 9,
  /** Opcode byte and label; children inside. */ structure: 10,
  /** Opcode byte and label. */ branch: 11,
  /** Place in `lists` of labels, the last for all other values. */ branchTable: 12,
  /** Function and place in `lists` of the locals that its results go to, or -1. */ call: 13,
  /** Signature and place in `lists` of the locals. */ callIndirect: 14,
} as const;

const headerLength = 4;
const voidBlock = 0x40;
const endCode = 0x0b;

export class ExpressionPool {
  /** Kind, arguments, number of children, children; an expression is where it begins. */
  #words = new Int32Array(1 << 16);
  #length = 0;
  #lists: (readonly number[])[] = [];
  #bigs: bigint[] = [];

  clear(): void {
    this.#length = 0;
    this.#lists = [];
    this.#bigs = [];
  }

  add(kind: number, first: number, second: number, children: readonly Expression[]): Expression {
    const at = this.#length;
    const end = at + headerLength + children.length;
    if (end > this.#words.length) this.#grow(end);
    this.#words[at] = kind;
    this.#words[at + 1] = first;
    this.#words[at + 2] = second;
    this.#words[at + 3] = children.length;
    for (let i = 0; i < children.length; i++) this.#words[at + headerLength + i] = children[i] ?? 0;
    this.#length = end;
    return at;
  }

  list(list: readonly number[]): number {
    return this.#lists.push(list) - 1;
  }

  big(value: bigint): number {
    return this.#bigs.push(value) - 1;
  }

  /** In order, with a stack of its own: blocks nest by the thousand. */
  write(root: Expression, w: ByteWriter): void {
    const labels: number[] = [];
    const open: number[] = [];
    const next: number[] = [];
    const enter = (at: Expression): void => {
      if (this.#word(at) === kinds.structure) {
        w.byte(this.#word(at + 1));
        w.byte(voidBlock);
        labels.push(this.#word(at + 2));
      }
      open.push(at);
      next.push(0);
    };
    enter(root);
    while (open.length > 0) {
      const last = open.length - 1;
      const at = open[last] ?? 0;
      const child = next[last] ?? 0;
      if (child < this.#word(at + 3)) {
        next[last] = child + 1;
        enter(this.#word(at + headerLength + child));
        continue;
      }
      this.#writeCode(at, w, labels);
      open.pop();
      next.pop();
    }
  }

  #writeCode(at: Expression, w: ByteWriter, labels: number[]): void {
    const first = this.#word(at + 1);
    const second = this.#word(at + 2);
    switch (this.#word(at)) {
      case kinds.code:
        w.bytes(this.#list(first));
        break;
      case kinds.i32:
        w.byte(0x41);
        w.signed32(first);
        break;
      case kinds.i64:
        w.byte(0x42);
        w.signed32(first);
        break;
      case kinds.i64Big:
        w.byte(0x42);
        w.signed64(this.#big(first));
        break;
      case kinds.v128:
        w.bytes(this.#list(second));
        for (let i = 0n; i < 16n; i++) w.byte(Number((this.#big(first) >> (8n * i)) & 0xffn));
        break;
      case kinds.access:
        w.bytes(this.#list(first));
        // Alignment is a hint; 1 is always true.
        w.byte(0);
        w.unsigned(second);
        break;
      case kinds.lane:
        w.bytes(this.#list(first));
        w.byte(second);
        break;
      case kinds.bytes:
        w.bytes(this.#list(first));
        w.bytes(this.#list(second));
        break;
      case kinds.structure:
        w.byte(endCode);
        labels.pop();
        break;
      default:
        this.#writeControl(at, w, labels);
    }
  }

  #writeControl(at: Expression, w: ByteWriter, labels: readonly number[]): void {
    const first = this.#word(at + 1);
    const second = this.#word(at + 2);
    switch (this.#word(at)) {
      case kinds.numbered:
        w.byte(first);
        w.unsigned(second);
        break;
      case kinds.branch:
        w.byte(first);
        w.unsigned(depth(labels, second));
        break;
      case kinds.branchTable: {
        const targets = this.#list(first);
        w.byte(0x0e);
        w.unsigned(targets.length - 1);
        for (const label of targets) w.unsigned(depth(labels, label));
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

function depth(labels: readonly number[], label: number): number {
  const at = labels.lastIndexOf(label);
  if (at < 0) throw new TypeError('a branch to a label that is not around it');
  return labels.length - 1 - at;
}

/** The last result is on top. */
function writeResults(w: ByteWriter, locals: readonly number[]): void {
  for (let i = locals.length - 1; i >= 0; i--) {
    w.byte(0x21);
    w.unsigned(locals[i] ?? 0);
  }
}
