/** The flags between two instructions of a block: nearly all are set again before anybody asks, so they are made on demand. */
import * as v from './build.ts';
import type { Flag } from './ops.ts';
import type { FlagRule, SomeFlags, Value } from './value.ts';

/** What a `setFlags` statement says. */
export interface FlagSetting {
  readonly rule: FlagRule;
  readonly inputs: readonly Value[];
  readonly when: Value | undefined;
}

export class Flags {
  /** What set them all, if one rule did without a condition. */
  readonly setting: FlagSetting | undefined;
  readonly #compute: (flag: Flag) => Value;
  readonly #known: Partial<Record<Flag, Value>> = {};

  private constructor(compute: (flag: Flag) => Value, setting: FlagSetting | undefined) {
    this.#compute = compute;
    this.setting = setting;
  }

  static set(setting: FlagSetting, before: Flags | undefined): Flags {
    const { rule, inputs, when } = setting;
    let all: Readonly<Record<Flag, Value>> | undefined;
    const flags = (): Readonly<Record<Flag, Value>> => {
      all ??= rule.flags(...inputs);
      return all;
    };
    return when === undefined
      ? new Flags((flag) => flags()[flag], setting)
      : new Flags((flag) => v.select(when, flags()[flag], flagOf(before, flag)), undefined);
  }

  /** Those that are not named stay. */
  static changed(some: SomeFlags, before: Flags | undefined): Flags {
    return new Flags((flag) => some[flag] ?? flagOf(before, flag), undefined);
  }

  get(flag: Flag): Value {
    const value = this.#known[flag] ?? this.#compute(flag);
    this.#known[flag] = value;
    return value;
  }
}

/** Before somebody has set them, they are what the block was entered with. */
export const flagOf = (flags: Flags | undefined, flag: Flag): Value =>
  flags?.get(flag) ?? v.flagValue(flag);

/** Flags at a block's end, where the block set them. */
export const flagsOut = (flags: Flags | undefined): SomeFlags =>
  new FlagsOnDemand((flag) => {
    const value = flags?.get(flag);
    return value?.op === 'flag' ? undefined : value;
  });

/** Each is made when somebody asks for it. */
export class FlagsOnDemand implements SomeFlags {
  readonly #get: (flag: Flag) => Value | undefined;

  constructor(get: (flag: Flag) => Value | undefined) {
    this.#get = get;
  }

  get CF(): Value | undefined {
    return this.#get('CF');
  }

  get PF(): Value | undefined {
    return this.#get('PF');
  }

  get AF(): Value | undefined {
    return this.#get('AF');
  }

  get ZF(): Value | undefined {
    return this.#get('ZF');
  }

  get SF(): Value | undefined {
    return this.#get('SF');
  }

  get OF(): Value | undefined {
    return this.#get('OF');
  }
}
