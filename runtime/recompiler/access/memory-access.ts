/**
 * How recompiled code reaches guest memory: what a block asks for at its loads and stores, whoever translates addresses.
 * One implementation a kind of Layout; choose-access.ts picks it.
 */
import type { Block, Statement } from '../../ir/value.ts';
import type { Expression } from '../emit/emitter.ts';
import type { Access, ChunkRange } from '../lower/chunk-loops.ts';
import type { Frame } from '../lower/frame.ts';
import type { Values } from '../lower/values.ts';
import type { BlockChecks } from './block-checks.ts';

/** Statements that leave before the instruction at hand, for the body of an `if`; the evaluator then does it. */
export type Exit = () => Expression[];
/** The same on a condition that hardly ever holds. */
export type ExitIf = (condition: Expression) => Expression;

/** The block that is being written, as accesses see it. */
export interface AccessSite {
  readonly frame: Frame;
  readonly block: Block;
  /** What it reaches, by access, where all that has been checked before (chunk-loops.ts). */
  readonly reached: ReadonlyMap<Access, ChunkRange> | undefined;
  /** What blocks before have checked in the linear run; undefined where nobody knows. */
  readonly checks: BlockChecks | undefined;
  readonly values: Values;
  readonly exit: Exit;
  readonly exitIf: ExitIf;
  /** The same inside of what is itself hardly ever done. */
  readonly exitInsideIf: ExitIf;
}

type Of<K extends Statement['kind']> = Extract<Statement, { kind: K }>;

/** Made for each block. It is asked once for each statement, in order, when the statements before are written. */
export interface MemoryAccess {
  /** Checks the access, and keeps the value (`values.keep`) where somebody uses it. */
  load(statement: Of<'load'>): void;
  store(statement: Of<'store'>): void;
  /** Keeps the number of elements done, which may always be 0. */
  bulk(statement: Of<'bulk'>): void;
}
