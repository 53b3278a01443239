/** The syntax of xl's cfg files (xl.cfg(5)): KEY=VALUE and KEY+=VALUE, by lines or semicolons. What the keys mean is not said here. */
import { UserError } from '../../runtime/errors.ts';

/** Where something stands, as reports name it: `guest.cfg:3:8`. */
type Place = string;

export type CfgValue =
  /** Numbers are texts, too: which it is to be, the key says. */
  | { readonly kind: 'text'; readonly text: string; readonly place: Place }
  | { readonly kind: 'list'; readonly values: readonly CfgValue[]; readonly place: Place };

export interface CfgSetting {
  readonly value: CfgValue;
  /** Of the key that set it last. */
  readonly place: Place;
}

/** A later setting of a key replaces an earlier one; `+=` adds to it. */
export type Cfg = ReadonlyMap<string, CfgSetting>;

interface Source {
  readonly text: string;
  readonly place: (position: Position) => Place;
}

/** Both from 1 on. */
interface Position {
  readonly line: number;
  readonly column: number;
}

/** The file, and what a command line adds behind it: KEY=VALUE each, in the same syntax. */
export function parseCfg(text: string, file: string, added: readonly string[] = []): Cfg {
  const settings = new Map<string, CfgSetting>();
  new Parser({ text, place: ({ line, column }) => `${file}:${line}:${column}` }, settings).parse();
  for (const words of added) new Parser({ text: words, place: () => words }, settings).parse();
  return settings;
}

interface Token extends Position {
  readonly kind:
    | 'word'
    | 'number'
    | 'string'
    | 'newline'
    | 'end'
    | '='
    | '+='
    | '['
    | ']'
    | ','
    | ';';
  readonly text: string;
}

const patterns: readonly (readonly [Token['kind'] | 'space', RegExp])[] = [
  ['space', /[ \t\r]+|#[^\n]*/y],
  ['newline', /\n/y],
  ['word', /[a-z][_0-9a-z]*/y],
  ['number', /[0-9][0-9a-fx]*/y],
  ['string', /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/y],
  ['+=', /\+=/y],
  ['=', /=/y],
  ['[', /\[/y],
  [']', /\]/y],
  [',', /,/y],
  [';', /;/y],
];

class Parser {
  readonly #source: Source;
  readonly #settings: Map<string, CfgSetting>;
  #at = 0;
  #line = 1;
  /** Where the line begins. */
  #lineStart = 0;
  #token: Token;

  constructor(source: Source, settings: Map<string, CfgSetting>) {
    this.#source = source;
    this.#settings = settings;
    this.#token = this.#read();
  }

  parse(): void {
    while (!this.#is('end')) {
      if (this.#is('word')) this.#setting();
      if (!['newline', ';', 'end'].includes(this.#token.kind)) this.#fail('expected KEY=VALUE');
      if (!this.#is('end')) this.#next();
    }
  }

  #setting(): void {
    const token = this.#next();
    const key = token.text;
    const { kind } = this.#token;
    if (kind !== '=' && kind !== '+=') this.#fail(`expected = behind ${key}`);
    this.#next();
    const value = this.#value();
    const before = this.#settings.get(key);
    const place = this.#source.place(token);
    const whole =
      kind === '+=' && before !== undefined ? joined(before.value, value, place) : value;
    this.#settings.set(key, { value: whole, place });
  }

  #value(): CfgValue {
    const place = this.#source.place(this.#token);
    if (this.#is('[')) return { kind: 'list', values: this.#list(), place };
    if (this.#is('string')) return { kind: 'text', text: this.#unquoted(this.#next()), place };
    if (this.#is('number')) return { kind: 'text', text: this.#next().text, place };
    if (this.#is('word'))
      this.#fail('Python is not understood; expected a number, a string in quotes, or a list');
    this.#fail('expected a number, a string in quotes, or a list');
  }

  /** Lines may end anywhere in a list. */
  #list(): CfgValue[] {
    const values: CfgValue[] = [];
    this.#next();
    this.#skipLines();
    while (!this.#is(']')) {
      values.push(this.#value());
      this.#skipLines();
      if (!this.#is(',') && !this.#is(']')) this.#fail('expected , or ] in a list');
      if (this.#is(',')) this.#next();
      this.#skipLines();
    }
    this.#next();
    return values;
  }

  #skipLines(): void {
    while (this.#is('newline')) this.#next();
  }

  #is(kind: Token['kind']): boolean {
    return this.#token.kind === kind;
  }

  /** The token that was there. */
  #next(): Token {
    const token = this.#token;
    this.#token = this.#read();
    return token;
  }

  #read(): Token {
    for (;;) {
      const { text } = this.#source;
      const position = this.#position();
      if (this.#at === text.length) return { kind: 'end', text: 'the end', ...position };
      const found = this.#match();
      this.#at += found.text.length;
      if (found.kind === 'newline') {
        this.#line++;
        this.#lineStart = this.#at;
      }
      if (found.kind !== 'space') return { kind: found.kind, text: found.text, ...position };
    }
  }

  #position(): Position {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  #match(): { readonly kind: Token['kind'] | 'space'; readonly text: string } {
    const { text } = this.#source;
    if (text.startsWith("'''", this.#at) || text.startsWith('"""', this.#at))
      this.#failAt(this.#position(), 'xl knows no strings in triple quotes');
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = this.#at;
      const [found] = pattern.exec(text) ?? [];
      if (found !== undefined) return { kind, text: found };
    }
    const character = String.fromCodePoint(text.codePointAt(this.#at) ?? 0);
    if (character === '"' || character === "'")
      this.#failAt(this.#position(), `a string without its closing ${character}`);
    if (/[-+*/%.():{}<>!A-Z]/.test(character))
      this.#failAt(
        this.#position(),
        `Python is not understood, such as what begins with ${character}`,
      );
    this.#failAt(this.#position(), `what is ${JSON.stringify(character)}?`);
  }

  #unquoted({ text, ...position }: Token): string {
    return text.slice(1, -1).replaceAll(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)/g, (_, code: string) => {
      if (/^x./.test(code)) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
      if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 255);
      const character = Object.hasOwn(escapes, code) ? escapes[code] : undefined;
      return character ?? this.#failAt(position, `no escape \\${code} in a string`);
    });
  }

  #fail(reason: string): never {
    const { text, kind } = this.#token;
    const near = kind === 'newline' ? 'the end of the line' : kind === 'end' ? text : `‘${text}’`;
    this.#failAt(this.#token, `${reason}, at ${near}`);
  }

  #failAt(position: Position, reason: string): never {
    throw new UserError(`${this.#source.place(position)}: ${reason}`);
  }
}

// biome-ignore format: a table
const escapes: Readonly<Record<string, string>> = {
  '\\': '\\', "'": "'", '"': '"', a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v',
};

function joined(before: CfgValue, more: CfgValue, place: Place): CfgValue {
  if (before.kind === 'text' && more.kind === 'text')
    return { ...more, text: before.text + more.text };
  if (before.kind === 'list' && more.kind === 'list')
    return { ...more, values: [...before.values, ...more.values] };
  throw new UserError(`${place}: += adds lists to lists and strings to strings`);
}
