/** What a block is made of: values (pure, but for loads) and statements (in order). */
import type { Flag, Op, Width } from './ops.ts';

export type Detail = number | bigint | Flag | Subroutine | readonly number[] | undefined;

/** A value, zero-extended in whatever carries it. */
export interface Value {
  readonly op: Op;
  readonly width: Width;
  readonly args: readonly Value[];
  readonly detail: Detail;
  /** Which walk was here last: one that is to meet each value once leaves a token of its own, for a tenth of what a Set costs. */
  walk: object | undefined;
  /** What its last writer knew of it. */
  writing: Writing | undefined;
}

/** How a value is written (recompiler/lower/values.ts). Locals are -1 where there are none. */
export interface Writing {
  /** A token of whose notes these are. */
  readonly writer: object;
  /** Still to be written. */
  uses: number;
  integer: number;
  float: number;
  halves: { readonly low: number; readonly high: number } | undefined;
}

/** A piece of meaning that is too long to stand in line (an x87 addition): lowered to a function, called from everywhere. */
export interface Subroutine {
  readonly name: string;
  readonly parameters: readonly Width[];
  readonly result: Width;
  /** Straight-line: writes the result in terms of `input` values. */
  readonly body: (inputs: readonly Value[]) => Value;
}

export type SomeFlags = { readonly [F in Flag]?: Value | undefined };

/** How an instruction sets flags, as a function of at most three values; so that they need not be computed until somebody asks. */
export interface FlagRule {
  readonly name: string;
  readonly flags: (...inputs: Value[]) => Readonly<Record<Flag, Value>>;
  /** What is known of conditions at less cost than through the flags (after CMP: L is `x < y`). */
  readonly conditions?: Partial<Record<Condition, (...inputs: Value[]) => Value>>;
}

/** SDM vol. 1, appendix B; the negated ones are derived. */
export type Condition = 'O' | 'B' | 'E' | 'BE' | 'S' | 'P' | 'L' | 'LE';

/** Why guest code left for the host. */
export type LeaveReason =
  | 'hostCall'
  | 'exception'
  | 'hypercall'
  | 'privileged'
  | 'timestamp'
  | 'evaluate';

export type Statement =
  | { readonly kind: 'instruction'; readonly address: bigint; readonly length: number }
  | { readonly kind: 'setRegister'; readonly register: number; readonly value: Value }
  | { readonly kind: 'load'; readonly value: Value }
  | { readonly kind: 'store'; readonly address: Value; readonly value: Value }
  /** As many elements at once as certainly can be done; the value is their number. */
  | { readonly kind: 'bulk'; readonly value: Value }
  | { readonly kind: 'loadCpu'; readonly value: Value }
  | { readonly kind: 'storeCpu'; readonly offset: Value; readonly value: Value }
  | {
      readonly kind: 'setFlags';
      readonly rule: FlagRule;
      readonly inputs: readonly Value[];
      /** Where it is 0 the flags stay (a shift by CL of 0). */
      readonly when: Value | undefined;
    }
  /**
   * The exception is taken before the instruction: a fault. `errorCode` is undefined where the vector has none. Recompiled code leaves
   * to the evaluator; without a vector that is all, and the evaluator executes the instruction.
   */
  | {
      readonly kind: 'raiseIf';
      readonly condition: Value;
      readonly vector: number | undefined;
      readonly errorCode: number | undefined;
    }
  /** Ends the instruction early, as REP with a count of 0 does; stands alone in its block. */
  | { readonly kind: 'jumpIf'; readonly condition: Value; readonly target: bigint };

export interface ComesBack {
  readonly returnTo: bigint;
  /** The block that goes on then, where a copy stands in the place of the one at `returnTo`. */
  readonly continuation?: bigint;
}

/** How a block ends. Addresses are linear. */
export type Terminator =
  | { readonly kind: 'jump'; readonly target: bigint }
  | {
      readonly kind: 'branch';
      readonly condition: Value;
      readonly taken: bigint;
      readonly otherwise: bigint;
    }
  | { readonly kind: 'jumpIndirect'; readonly target: Value }
  | ({ readonly kind: 'call'; readonly target: bigint } & ComesBack)
  /** `expected` is what it mostly calls, and the blocks that do so. */
  | ({
      readonly kind: 'callIndirect';
      readonly target: Value;
      readonly expected?: readonly { readonly target: bigint; readonly way: bigint }[];
    } & ComesBack)
  /** `within` says where a function goes on that stands in its caller, if it returns there. */
  | { readonly kind: 'return'; readonly target: Value; readonly within?: Required<ComesBack> }
  | {
      /** `next` is where the guest goes on if the host lets it; an exception of a fault kind names its own address. */
      readonly kind: 'leave';
      readonly reason: LeaveReason;
      readonly operand: number;
      readonly next: bigint;
    };

export interface Block {
  readonly address: bigint;
  readonly statements: readonly Statement[];
  readonly terminator: Terminator;
  /** Flags at the block's end, where the block set them; made when they are asked for. */
  readonly flagsOut: SomeFlags;
}
