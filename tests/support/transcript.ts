/**
 * A conversation as text, to be read and compared: what was printed, byte by byte, with a line for each place that the
 * cursor is put to, then the screen as it was when the keys were typed.
 */
import type { Turn } from './conversation.ts';
import { drawScreen } from './terminal-screen.ts';

export interface Transcript {
  readonly turns: readonly Turn[];
  /** The screen at each turn. */
  readonly screens: readonly (readonly string[])[];
  /** Hypercalls in their order; none were recorded where there are none. */
  readonly calls: readonly string[];
}

export async function screensOf(turns: readonly Turn[]): Promise<readonly (readonly string[])[]> {
  let text = '';
  const screens: (readonly string[])[] = [];
  for (const { printed } of turns) {
    text += printed;
    screens.push(await drawScreen(text));
  }
  return screens;
}

export function writeTranscript({ turns, screens, calls }: Transcript): string {
  const parts = turns.flatMap(({ printed, typed }, turn) => [
    '== printed',
    ...showBytes(printed),
    '== screen',
    ...(screens[turn] ?? []).map((line) => `|${line}`),
    typed === undefined ? '== end' : `== typed ${JSON.stringify(typed)}`,
  ]);
  if (calls.length > 0) parts.push('== hypercalls', ...calls);
  return `${parts.join('\n')}\n`;
}

export function readTranscript(text: string): Transcript {
  const turns: Turn[] = [];
  const screens: (readonly string[])[] = [];
  const calls: string[] = [];
  let printed = '';
  const end = (typed: string | undefined): void => {
    turns.push({ printed, typed });
  };
  const parts: Readonly<Record<string, (lines: readonly string[], rest: string) => void>> = {
    printed: (lines) => {
      printed = lines.map(readBytes).join('');
    },
    screen: (lines) => screens.push(lines.map((line) => line.slice(1))),
    typed: (_, rest) => end(JSON.parse(rest) as string),
    end: () => end(undefined),
    hypercalls: (lines) => calls.push(...lines),
  };
  for (const part of text.trimEnd().split(/^== /m).slice(1)) {
    const [first = '', ...lines] = part.replace(/\n$/, '').split('\n');
    const [name = ''] = first.split(' ', 1);
    const read = parts[name];
    if (read === undefined) throw new Error(`a transcript has no part ${name}`);
    read(lines, first.slice(name.length));
  }
  return { turns, screens, calls };
}

const names: Readonly<Record<string, string>> = { '\x1b': 'e', '\r': 'r', '\n': 'n', '\\': '\\' };

/** Runs of blanks are counted. */
function showBytes(text: string): readonly string[] {
  const shown = [...text]
    .map((byte) => (byte in names ? `\\${names[byte]}` : byte))
    .join('')
    .replace(/ {4,}/g, (blanks) => `\\{${blanks.length}}`);
  return shown
    .split(/(?=\\e\[\d*;?\d*H)|(?<=\\n)(?!\\r)|(?<=\\n\\r)/)
    .filter((line) => line !== '');
}

function readBytes(line: string): string {
  return line.replace(/\\(?:\{(\d+)\}|(.))/g, (_, count: string | undefined, name: string) =>
    count === undefined
      ? (Object.entries(names).find(([, known]) => known === name)?.[0] ?? '')
      : ' '.repeat(Number(count)),
  );
}
