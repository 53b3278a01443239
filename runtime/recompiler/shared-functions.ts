/** Subroutines and support functions that a module's code has asked for, each written once. */
import { input } from '../ir/build.ts';
import type { Subroutine, Value } from '../ir/value.ts';
import { carrier } from './carrier.ts';
import type { Emitter, Expression, WasmType } from './emit/emitter.ts';
import { rules } from './lower/lower.ts';
import { floatRules } from './lower/lower-float.ts';
import { type SupportFunction, supportFunctions, supportSubroutines } from './lower/support.ts';
import { Values } from './lower/values.ts';

export class SharedFunctions {
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
