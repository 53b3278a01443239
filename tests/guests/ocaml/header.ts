/** The language in which a comment at the top of a test says how it is built and run (OCaml's ocamltest/tsl_lexer.mll, tsl_parser.mly). */

export type Variables = Readonly<Record<string, string>>;

export interface Node {
  readonly depth: number;
  readonly name: string;
  readonly statements: Statement[];
}

export type Statement =
  | { readonly kind: 'set' | 'append'; readonly name: string; readonly value: string }
  | { readonly kind: 'include'; readonly name: string };

/** The comment's text, without nested comments. */
export function headerOf(text: string): string | undefined {
  const below = /\(\*\s*TEST_BELOW/.test(text);
  const marks = [...text.matchAll(/\(\*\s*TEST\b(?!_BELOW)/g)];
  const mark = below ? marks.at(-1) : marks[0];
  if (mark === undefined) return undefined;
  let depth = 1;
  let header = '';
  for (let at = mark.index + mark[0].length; depth > 0 && at < text.length; at++) {
    const pair = text.slice(at, at + 2);
    if (pair === '(*') depth++;
    if (pair === '*)') depth--;
    if (pair === '(*' || pair === '*)') at++;
    else if (depth === 1) header += text[at];
  }
  return header;
}

export const tokens = (header: string): string[] =>
  header.match(/"(?:[^"\\]|\\[\s\S])*"|\*+|\+=|=|;|[^\s"=;*+]+/g) ?? [];

export function parse(words: readonly string[]): { statements: Statement[]; nodes: Node[] } {
  const statements: Statement[] = [];
  const nodes: Node[] = [];
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    const into = nodes.at(-1)?.statements ?? statements;
    if (/^\*+$/.test(word))
      nodes.push({ depth: word.length, name: queue.shift() ?? '', statements: [] });
    else if (word === 'include') into.push({ kind: 'include', name: queue.shift() ?? '' });
    else if (queue[0] === '=' || queue[0] === '+=') {
      const kind = queue.shift() === '=' ? 'set' : 'append';
      into.push({ kind, name: word, value: unquoted(queue.shift() ?? '') });
    }
  }
  return { statements, nodes };
}

const unquoted = (word: string): string =>
  word
    .replace(/^"|"$/g, '')
    .replace(/\\\n\s*/g, '')
    .replace(/\\(.)/g, '$1');

export function assign(statements: readonly Statement[]): Variables {
  const variables: Record<string, string> = {};
  for (const statement of statements)
    if (statement.kind === 'set') variables[statement.name] = statement.value;
    else if (statement.kind === 'append')
      variables[statement.name] = `${variables[statement.name] ?? ''}${statement.value}`;
  return variables;
}
