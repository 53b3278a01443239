/** What a command of the CLI is: a name, its options as data, and the work. */
import { parseArgs } from 'node:util';
import { UserError } from '../../runtime/errors.ts';

export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  readonly default?: string;
  readonly help: string;
}

/** The options of one call, by the kind that the command's table says they have. */
export interface Options {
  /** An option with a default, or one that was given; else a UserError. */
  text(name: string): string;
  /** An option without a default: undefined where it was not given. */
  optional(name: string): string | undefined;
  list(name: string): readonly string[];
  flag(name: string): boolean;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly options?: Readonly<Record<string, Option>>;
  /** The command reads its words itself, such as those that go on to gcc. */
  readonly raw?: boolean;
  /** The exit status. */
  run(terminal: Terminal, words: readonly string[], options: Options): Promise<number>;
}

/** A wrong way to call a command: exit status 2. */
export function usageError(message: string): UserError {
  return new UserError(message, { status: 2 });
}

/** Splits a command's words into options and the rest; words after `--` are never options. */
export function parseWords(
  command: Command,
  words: readonly string[],
): { words: readonly string[]; options: Options } {
  if (command.raw) return { words, options: readers(command, {}) };
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(command.options ?? {}).map(([name, { type, short, multiple }]) => [
          name,
          { type, multiple: multiple ?? false, ...(short === undefined ? {} : { short }) },
        ]),
      ),
    });
    return { words: positionals, options: readers(command, values) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS'))
      throw usageError(`${command.name}: ${firstSentence((error as Error).message)}`);
    throw error;
  }
}

/** Node's advice after its first sentence is about positional words that look like options. */
const firstSentence = (text: string): string => text.split('. ', 1)[0] ?? text;

function readers(command: Command, values: Readonly<Record<string, unknown>>): Options {
  const value = (name: string): unknown => {
    const option = command.options?.[name];
    if (option === undefined) throw new Error(`${command.name} declares no option ${name}`);
    return values[name] ?? option.default;
  };
  const optional = (name: string): string | undefined => {
    const found = value(name);
    return typeof found === 'string' ? found : undefined;
  };
  return {
    optional,
    text(name) {
      const found = optional(name);
      if (found === undefined) throw usageError(`${command.name}: --${name} must be given`);
      return found;
    },
    list: (name) => (value(name) ?? []) as readonly string[],
    flag: (name) => value(name) === true,
  };
}

/** The text of `stubdom COMMAND --help`. */
export function helpText(command: Command): string {
  const rows = Object.entries(command.options ?? {}).map(([name, option]) => {
    const short = option.short === undefined ? '' : `-${option.short}, `;
    const standard = option.default === undefined ? '' : ` (${option.default})`;
    return [`  ${short}--${name}`, `${option.help}${standard}`] as const;
  });
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`);
  return [`stubdom ${command.usage}`, '', command.summary, ...(lines.length ? ['', ...lines] : [])]
    .join('\n')
    .concat('\n');
}
