/** Guest functions → one Wasm module. */

import { input } from '../ir/build.ts';
import type { Subroutine, Value } from '../ir/value.ts';
import { carrier } from './carrier.ts';
import type { GuestFunction } from './discover.ts';
import type { Emitter, Expression, WasmType } from './emitter.ts';
import type { ModuleContext } from './frame.ts';
import type { Layout } from './layout.ts';
import { rules } from './lower.ts';
import { floatRules } from './lower-float.ts';
import { type Form, type LoweredFunction, lowerFunction } from './lower-function.ts';
import type { Recipes } from './recipes.ts';
import { type SupportFunction, supportFunctions, supportSubroutines } from './support.ts';
import { Values } from './values.ts';

export interface Translation {
  readonly bytes: Uint8Array;
  readonly functions: readonly LoweredFunction[];
  /** Whether its code asks for flags that were set elsewhere. */
  readonly asksFlags: boolean;
}

export function buildModule(
  emitter: Emitter,
  layout: Layout,
  recipes: Recipes,
  functions: readonly GuestFunction[],
  form: Form,
  /** Whether a function may be called without the dispatcher; one that is often replaced may not. */
  isDirect: (fn: GuestFunction) => boolean = () => true,
): Translation {
  const native: WasmType = layout.mode === 64 ? 'i64' : 'i32';
  emitter.importFunction('call', [native, native, 'i32'], [native, native]);
  emitter.importFunction('flags', [], ['i32']);
  emitter.importGlobal('base');
  const shared = new SharedFunctions(emitter);
  const entries = new Set(functions.filter(isDirect).map((fn) => fn.entry));
  const ordinals = new Map(functions.map((fn, i) => [fn.entry, i]));
  let asksFlags = false;
  const context: ModuleContext = {
    emitter,
    layout,
    recipes,
    has: (entry) => entries.has(entry),
    ordinal: (entry) => ordinals.get(entry) ?? 0,
    subroutine: (subroutine) => shared.subroutine(subroutine),
    support: (name) => shared.support(name),
    shared: (name, make) => shared.function(name, make),
    flags: () => {
      asksFlags = true;
      return 'flags';
    },
  };
  const lowered = functions.map((fn) => lowerFunction(context, fn, form));
  shared.write();
  for (const { name } of lowered) emitter.exportFunction(name);
  return { bytes: emitter.finish(), functions: lowered, asksFlags };
}

/** Subroutines and support functions that the module's code has asked for, each written once. */
class SharedFunctions {
  readonly #emitter: Emitter;
  readonly #known = new Set<string>();
  /** Written when no other function is under way. */
  readonly #pending: (() => void)[] = [];

  constructor(emitter: Emitter) {
    this.#emitter = emitter;
  }

  subroutine(subroutine: Subroutine): string {
    const name = `s_${subroutine.name}`;
    if (!this.#known.has(name)) {
      this.#known.add(name);
      this.#pending.push(() => this.#writeSubroutine(name, subroutine));
    }
    return name;
  }

  support(name: string): string {
    const inIr = supportSubroutines[name];
    if (inIr !== undefined) return this.subroutine(inIr);
    return this.function(name, () => {
      const fn = supportFunctions[name];
      if (fn === undefined) throw new TypeError(`no support function ${name}`);
      return fn;
    });
  }

  function(name: string, make: () => SupportFunction): string {
    const written = `w_${name}`;
    if (!this.#known.has(written)) {
      this.#known.add(written);
      const { parameters, result, locals = [], body } = make();
      this.#pending.push(() => {
        const code = body(this.#emitter, (other) => this.support(other));
        this.#emitter.addFunction(written, parameters, [result], locals, code);
      });
    }
    return written;
  }

  write(): void {
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) next();
  }

  #writeSubroutine(name: string, subroutine: Subroutine): void {
    const e = this.#emitter;
    const parameters = subroutine.parameters.map(carrier);
    const locals: WasmType[] = [];
    const statements: Expression[] = [];
    const refuse = (value: Value): never => {
      throw new TypeError(`subroutine ${subroutine.name} reads ${value.op}`);
    };
    const values = new Values(
      {
        emitter: e,
        local: (type) => parameters.length + locals.push(type) - 1,
        statement: (expression) => statements.push(expression),
        register: refuse,
        half: () => undefined,
        flag: refuse,
        loadCpu: refuse,
        subroutine: (inner) => this.subroutine(inner),
        support: (inner) => this.support(inner),
      },
      { rules, floatRules },
    );
    const result = subroutine.body(subroutine.parameters.map((width, i) => input(i, width)));
    values.count(result);
    const returned = e.return(values.emit(result));
    e.addFunction(
      name,
      parameters,
      [carrier(subroutine.result)],
      locals,
      e.block(undefined, [...statements, returned]),
    );
  }
}
