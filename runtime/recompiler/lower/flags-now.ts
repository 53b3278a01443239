/** The arithmetic flags while a block is written: what flag-sources.ts says of them, as stores to the state block. */
import type { Width } from '../../ir/ops.ts';
import type { Statement, Value } from '../../ir/value.ts';
import { carrier } from '../carrier.ts';
import type { Expression } from '../emit/emitter.ts';
import type { ExitFlags } from './exit-chain.ts';
import type { FlagsInBlock } from './flag-flow.ts';
import { atStart, type FlagInput, type FlagSource, type FlagsAt, loadsOf } from './flag-sources.ts';
import type { Frame } from './frame.ts';
import { rules } from './lower.ts';
import { floatRules } from './lower-float.ts';
import { type Rule, Values } from './values.ts';

type SetFlags = Extract<Statement, { kind: 'setFlags' }>;

export class FlagsNow {
  readonly #frame: Frame;
  readonly #values: Values;
  readonly #flags: FlagsInBlock;
  #sources: Values | undefined;
  #now: FlagsAt;
  #changes = 0;

  /** `values` are the block's. */
  constructor(frame: Frame, values: Values, flags: FlagsInBlock) {
    this.#frame = frame;
    this.#values = values;
    this.#flags = flags;
    this.#now = flags.start;
  }

  /** Counts the loads that flags are made from, so that each is kept. */
  countLoads(): void {
    for (const source of this.#flags.changes.values())
      for (const load of loadsOf(source)) this.#values.count(load);
  }

  isStored(statement: number): boolean {
    return this.#flags.stored.has(statement);
  }

  /** Inputs that a statement puts into locals, of flags that are not stored. */
  heldBy(statement: number, { inputs }: SetFlags): readonly Value[] {
    return this.#heldAt(statement).flatMap((place) => inputs[place] ?? []);
  }

  /** The block begins. */
  begin(): void {
    const { start } = this.#flags;
    for (const place of this.#heldAt(atStart)) {
      const input = start?.inputs[place];
      if (input !== undefined) this.#hold(place, input.width, this.#written(input));
    }
  }

  /** Puts them there. */
  hold(statement: number, { inputs }: SetFlags): void {
    for (const place of this.#heldAt(statement)) {
      const input = inputs[place];
      if (input !== undefined) this.#hold(place, input.width, this.#values.emit(input));
    }
  }

  #heldAt(statement: number): readonly number[] {
    return this.#flags.held.get(statement) ?? [];
  }

  #hold(place: number, width: Width, value: Expression): void {
    const frame = this.#frame;
    frame.statement(frame.emitter.set(frame.flagInputLocal(place, width), value));
  }

  /** A statement has been written. */
  pass(statement: number): void {
    if (!this.#flags.changes.has(statement)) return;
    this.#now = this.#flags.changes.get(statement);
    this.#changes++;
  }

  /** Writes flags to the state block that cannot be made later. */
  set({ rule, inputs, when }: SetFlags): void {
    const frame = this.#frame;
    const written = inputs.map((input) => this.#values.emit(input));
    const widths = inputs.map(({ width }) => width);
    if (when === undefined) {
      for (const store of frame.storeFlags(rule, widths, written)) frame.statement(store);
      return;
    }
    const e = frame.emitter;
    const kept = inputs.map(({ width }, i) => {
      const type = carrier(width);
      return e.get(this.#values.toLocal(written[i] ?? e.i32(0), type), type);
    });
    const condition = this.#values.emit(when);
    frame.statement(e.ifThen(condition, frame.storeFlags(rule, widths, kept)));
  }

  /** What an exit has to store. */
  forExit(): ExitFlags | undefined {
    const source = this.#now;
    return source && { key: String(this.#changes), write: () => this.#storesOf(source) };
  }

  /** Stores of flags that are nowhere yet. */
  stores(): readonly Expression[] {
    return this.#now === undefined ? [] : this.#storesOf(this.#now);
  }

  /** The same on the way to a block, where that takes them from the state block. */
  storesFor(to: FlagsInBlock): readonly Expression[] {
    return to.isSeen && to.start === undefined ? this.stores() : [];
  }

  #storesOf({ rule, inputs }: FlagSource): Expression[] {
    return this.#frame.storeFlags(
      rule,
      inputs.map(({ width }) => width),
      inputs.map((input) => this.#written(input)),
    );
  }

  #written(input: FlagInput): Expression {
    const frame = this.#frame;
    if (input.op === 'held')
      return frame.emitter.get(
        frame.flagInputLocal(input.place, input.width),
        carrier(input.width),
      );
    this.#sources ??= sourceValues(frame, this.#values);
    return this.#sources.emit(input);
  }
}

/** Writes what is in terms of what registers hold where it is written; needs no statements. */
function sourceValues(frame: Frame, values: Values): Values {
  const e = frame.emitter;
  const refuse = (): never => {
    throw new TypeError('flags are made from registers alone');
  };
  const kept = (value: Value): Expression => {
    const local = values.localOf(value);
    if (local === undefined) throw new TypeError('a load that flags are made from is kept');
    return e.get(local, carrier(value.width));
  };
  return new Values(
    {
      emitter: e,
      local: refuse,
      statement: refuse,
      register: ({ detail }) => e.get(frame.registerLocal(detail as number), frame.native),
      half: () => undefined,
      flag: refuse,
      subroutine: refuse,
      support: refuse,
      loadCpu: kept,
    },
    sourceTables,
  );
}

/** A load stands for what was loaded, of whatever memory. */
const load: Rule = (m, value) => m.surroundings.loadCpu(value);
const sourceTables = { rules: { ...rules, load }, floatRules };
