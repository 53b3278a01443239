/**
 * Accesses of a block whose addresses differ by constants, so that one check serves all: base, index and scale alike, at
 * most 256 bytes from the first byte to the last. A check may be made too early or for more than happens; then it leaves
 * before anything has changed, and the evaluator finds out.
 */
import { constantOf } from '../../ir/build.ts';
import type { Block, Statement, Value } from '../../ir/value.ts';
import { type Mode, RSP } from '../../x86/registers.ts';

type Load = Extract<Statement, { kind: 'load' }>;
type Store = Extract<Statement, { kind: 'store' }>;

export const mostSpan = 256;

export interface AccessGroup {
  /** The address less a constant; undefined where it is a constant. */
  readonly root: Value | undefined;
  /** Offsets from the root: of the first byte, and one past the last. */
  least: bigint;
  end: bigint;
  /** Whether something is stored. */
  writes: boolean;
  /** The same offsets of what is stored. */
  written: { readonly least: bigint; readonly end: bigint } | undefined;
  /** The first access: its instruction, and whether that needs the right to write. */
  readonly first: { readonly instruction: bigint; readonly writes: boolean };
}

export interface GroupedAccess {
  readonly group: AccessGroup;
  readonly offset: bigint;
}

/** Bytes that a value takes in memory. */
export const bytesOf = (value: Value): number => Math.max(value.width / 8, 1);

/** Whether what is stored there may be written: loads that a store to the same place follows are checked as stores. */
export const isForWrite = (value: Value): boolean => value.op === 'load' && value.detail === 1;

export const isStack = ({ root }: AccessGroup): boolean =>
  root?.op === 'register' && root.detail === RSP;

export class AccessGroups {
  readonly #mode: Mode;
  readonly #open = new Map<Root, AccessGroup>();
  readonly #of = new Map<Value | Store, GroupedAccess>();
  #names: Map<Value, string> | undefined;
  /** Roots that nothing is merged of. */
  #apart: Set<Root> | undefined;
  #instruction: bigint;

  /** `isApart`: whether an access, and others of its root, are to stand alone. */
  constructor(
    block: Block,
    mode: Mode,
    isApart?: (instruction: bigint, writes: boolean) => boolean,
  ) {
    this.#mode = mode;
    this.#instruction = block.address;
    this.#read(block);
    if (isApart === undefined) return;
    for (const { group } of new Set(this.#of.values()))
      if (isApart(group.first.instruction, group.first.writes)) this.#keepApart(group.root);
    if (this.#apart === undefined) return;
    this.#open.clear();
    this.#of.clear();
    this.#instruction = block.address;
    this.#read(block);
  }

  #keepApart(root: Value | undefined): void {
    this.#apart ??= new Set();
    this.#apart.add(this.#nameOf(root));
  }

  #read(block: Block): void {
    for (const statement of block.statements) {
      if (statement.kind === 'instruction') this.#instruction = statement.address;
      else if (statement.kind === 'load') this.#load(statement);
      else if (statement.kind === 'store')
        this.#put(statement, statement.address, bytesOf(statement.value), true);
    }
  }

  ofLoad(load: Load): GroupedAccess {
    return this.#of.get(load.value) ?? this.#load(load);
  }

  ofStore(store: Store): GroupedAccess {
    const found = this.#of.get(store);
    return found ?? this.#put(store, store.address, bytesOf(store.value), true);
  }

  #load({ value }: Load): GroupedAccess {
    const [address] = value.args;
    if (address === undefined) throw new TypeError('a load has no address');
    return this.#put(value, address, bytesOf(value), isForWrite(value));
  }

  #put(of: Value | Store, address: Value, bytes: number, writes: boolean): GroupedAccess {
    const { root, offset } = this.#split(address);
    const end = offset + BigInt(bytes);
    const name = this.#nameOf(root);
    const open = this.#apart?.has(name) === true ? undefined : this.#open.get(name);
    const group =
      open !== undefined && max(end, open.end) - min(offset, open.least) <= BigInt(mostSpan)
        ? open
        : {
            root,
            least: offset,
            end,
            writes,
            written: undefined,
            first: { instruction: this.#instruction, writes },
          };
    group.least = min(group.least, offset);
    group.end = max(group.end, end);
    group.writes ||= writes;
    if (writes)
      group.written = {
        least: min(group.written?.least ?? offset, offset),
        end: max(group.written?.end ?? end, end),
      };
    this.#open.set(name, group);
    const access = { group, offset };
    this.#of.set(of, access);
    return access;
  }

  #nameOf(root: Value | undefined): Root {
    return root !== undefined && isLinear(root) ? this.#name(root, 0) : root;
  }

  #split(address: Value): { root: Value | undefined; offset: bigint } {
    let offset = 0n;
    let root = address;
    for (;;) {
      const known = constantOf(root);
      if (known !== undefined)
        return { root: undefined, offset: BigInt.asUintN(this.#mode, known + offset) };
      const [a, b] = root.args;
      const right = b === undefined ? undefined : constantOf(b);
      if (a === undefined || right === undefined || (root.op !== 'add' && root.op !== 'sub'))
        return { root, offset: BigInt.asIntN(this.#mode, offset) };
      offset += root.op === 'add' ? right : -right;
      root = a;
    }
  }

  /** The same for sums and products of the same values, however often they are written. */
  #name(value: Value, depth: number): string {
    if (isLinear(value) && depth < 4) {
      const parts = value.args.map((each) => this.#name(each, depth + 1));
      return `${value.op}${value.width}(${parts.join()})`;
    }
    const known = constantOf(value);
    if (known !== undefined) return String(known);
    this.#names ??= new Map();
    const name = this.#names.get(value) ?? `v${this.#names.size}`;
    this.#names.set(value, name);
    return name;
  }
}

/** What addresses have in common: a value, or the name of a sum of values. */
type Root = Value | string | undefined;

const isLinear = ({ op }: Value): boolean => op === 'add' || op === 'shiftLeft' || op === 'mul';

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
