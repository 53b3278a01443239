/** Registers and flags that values read at the start of their block; each value is walked over once. */
import type { Flag } from '../../ir/ops.ts';
import type { Value } from '../../ir/value.ts';
import { bitOfFlag, type FlagSet } from './flag-set.ts';
import { bitOf, type RegisterSet } from './register-set.ts';
import { isAnchored } from './values.ts';

export class Walk {
  registers: RegisterSet = 0;
  flags: FlagSet = 0;

  visit(value: Value): void {
    const { args } = value;
    if (args.length === 0) this.#leaf(value);
    else if (value.walk !== this && !isAnchored(value)) {
      value.walk = this;
      for (let i = 0; i < args.length; i++) this.visit(args[i] ?? value);
    }
  }

  #leaf({ op, detail }: Value): void {
    if (op === 'register') this.registers |= bitOf(detail as number);
    else if (op === 'flag') this.flags |= bitOfFlag[detail as Flag];
  }
}
