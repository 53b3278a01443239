/** A block as text, for golden tests and traces: a line a statement; values that are used twice or loaded have names. */
import type { Block, Statement, Subroutine, Terminator, Value } from './value.ts';

/** What the printer cannot know: the registers belong to x86. */
export type RegisterName = (register: number) => string;

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

class Printer {
  readonly #name: RegisterName;
  readonly #uses = new Map<Value, number>();
  readonly #names = new Map<Value, string>();
  readonly #lines: string[] = [];

  constructor(name: RegisterName) {
    this.#name = name;
  }

  /** How often each value stands somewhere. */
  count(value: Value): void {
    const uses = this.#uses.get(value) ?? 0;
    this.#uses.set(value, uses + 1);
    if (uses === 0) for (const arg of value.args) this.count(arg);
  }

  #define(value: Value, text: string): string {
    const name = `%${this.#names.size}`;
    this.#names.set(value, name);
    this.#lines.push(`  ${name} = ${text}`);
    return name;
  }

  value(value: Value): string {
    const name = this.#names.get(value);
    if (name !== undefined) return name;
    const text = this.#text(value);
    const shared = (this.#uses.get(value) ?? 0) > 1 && value.args.length > 0;
    return shared ? this.#define(value, text) : text;
  }

  #text(value: Value): string {
    const { op, width, detail } = value;
    switch (op) {
      case 'constant':
        return hex(detail as bigint);
      case 'register':
        return this.#name(detail as number);
      case 'flag':
        return detail as string;
      case 'undefined':
        return 'undefined';
      default:
        return `${op}${detailText(value)}.${width}(${this.#list(value.args)})`;
    }
  }

  #list(values: readonly Value[]): string {
    return values.map((value) => this.value(value)).join(', ');
  }

  statement(statement: Statement): void {
    const text = this.#statement(statement);
    if (text !== undefined) this.#lines.push(text);
  }

  #statement(statement: Statement): string | undefined {
    switch (statement.kind) {
      case 'instruction':
        return `${hex(statement.address)}:`;
      case 'setRegister':
        return `  ${this.#name(statement.register)} := ${this.value(statement.value)}`;
      case 'load':
      case 'loadCpu':
      case 'bulk':
        this.#define(statement.value, this.#text(statement.value));
        return undefined;
      case 'store': {
        const address = this.value(statement.address);
        return `  store.${statement.value.width} ${address}, ${this.value(statement.value)}`;
      }
      case 'storeCpu': {
        const offset = this.value(statement.offset);
        return `  storeCpu.${statement.value.width} ${offset}, ${this.value(statement.value)}`;
      }
      case 'setFlags': {
        const when = statement.when === undefined ? '' : ` if ${this.value(statement.when)}`;
        return `  flags := ${statement.rule.name}(${this.#list(statement.inputs)})${when}`;
      }
      case 'raiseIf':
        return `  ${raising(statement.vector)} if ${this.value(statement.condition)}`;
      case 'jumpIf':
        return `  jump ${hex(statement.target)} if ${this.value(statement.condition)}`;
    }
  }

  terminator(terminator: Terminator): void {
    this.#lines.push(`  ${this.#terminator(terminator)}`);
  }

  #terminator(terminator: Terminator): string {
    switch (terminator.kind) {
      case 'jump':
        return `jump ${hex(terminator.target)}`;
      case 'branch':
        return `jump ${hex(terminator.taken)} if ${this.value(terminator.condition)}, else ${hex(terminator.otherwise)}`;
      case 'jumpIndirect':
        return `jump ${this.value(terminator.target)}`;
      case 'call':
        return `call ${hex(terminator.target)}, back to ${hex(terminator.returnTo)}`;
      case 'callIndirect':
        return `call ${this.value(terminator.target)}, back to ${hex(terminator.returnTo)}`;
      case 'return':
        return `return to ${this.value(terminator.target)}`;
      case 'leave':
        return `leave for ${terminator.reason} ${terminator.operand}, then ${hex(terminator.next)}`;
    }
  }

  get text(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

function detailText({ op, detail }: Value): string {
  if (detail === undefined) return '';
  if (op === 'call') return `[${(detail as Subroutine).name}]`;
  return `[${Array.isArray(detail) ? detail.join(' ') : String(detail)}]`;
}

function* valuesOf(statement: Statement): Generator<Value> {
  switch (statement.kind) {
    case 'setRegister':
      yield statement.value;
      break;
    case 'load':
    case 'loadCpu':
    case 'bulk':
      yield statement.value;
      break;
    case 'store':
      yield statement.address;
      yield statement.value;
      break;
    case 'storeCpu':
      yield statement.offset;
      yield statement.value;
      break;
    case 'setFlags':
      yield* statement.inputs;
      if (statement.when !== undefined) yield statement.when;
      break;
    case 'raiseIf':
    case 'jumpIf':
      yield statement.condition;
  }
}

const raising = (vector: number | undefined): string =>
  vector === undefined ? 'evaluate' : `raise ${vector}`;

export function printBlock(block: Block, name: RegisterName): string {
  const printer = new Printer(name);
  const { terminator } = block;
  for (const statement of block.statements)
    for (const value of valuesOf(statement)) printer.count(value);
  if (terminator.kind === 'branch') printer.count(terminator.condition);
  if ('target' in terminator && typeof terminator.target === 'object')
    printer.count(terminator.target);
  for (const statement of block.statements) printer.statement(statement);
  printer.terminator(terminator);
  return printer.text;
}
