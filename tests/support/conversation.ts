/** Talks with a guest by its console as a person does: looks at the screen, types, looks again. */
import { steady } from './console-noise.ts';
import { drawScreen } from './terminal-screen.ts';

/** A guest and its console. */
export interface Talk {
  /** All that it has printed. */
  text(): string;
  write(text: string): void;
  hasEnded(): boolean;
}

/** What was typed, and what had been printed before it since the last time. */
export interface Turn {
  readonly printed: string;
  /** Nothing: the guest's end. */
  readonly typed: string | undefined;
}

interface Patience {
  /** Milliseconds. */
  readonly atMost: number;
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Looks, not time: who looks may be stopped together with the guest. In so many a guest that prints has printed something. */
const quiet = 40;

/** Types what the steps say, each once the screen shows what it should and nothing more comes. */
export async function hold(
  talk: Talk,
  steps: readonly { readonly see: string; readonly type: string }[],
  { atMost }: Patience,
): Promise<readonly Turn[]> {
  const turns: Turn[] = [];
  let before = 0;
  for (const { see, type } of steps) {
    await settle(talk, see, atMost);
    const text = steady(talk.text());
    turns.push({ printed: text.slice(before), typed: type });
    before = text.length;
    talk.write(type);
  }
  const deadline = Date.now() + atMost;
  while (!talk.hasEnded())
    if (Date.now() > deadline) throw await lost(talk, 'its end', atMost);
    else await pause(100);
  return [...turns, { printed: steady(talk.text()).slice(before), typed: undefined }];
}

async function settle(talk: Talk, see: string, atMost: number): Promise<void> {
  const deadline = Date.now() + atMost;
  let [length, unchanged] = [-1, 0];
  while (Date.now() < deadline && !talk.hasEnded()) {
    const text = talk.text();
    if (text.length !== length) [length, unchanged] = [text.length, 0];
    const isQuiet = ++unchanged > quiet;
    if (isQuiet && (await drawScreen(steady(text))).join('\n').includes(see)) return;
    await pause(100);
  }
  throw await lost(talk, JSON.stringify(see), atMost);
}

async function lost(talk: Talk, what: string, atMost: number): Promise<Error> {
  const screen = (await drawScreen(steady(talk.text()))).join('\n');
  const why = talk.hasEnded() ? 'the guest has ended' : `not within ${atMost / 1000} s`;
  return new Error(`${what}: ${why}; the screen:\n${screen}`);
}

/**
 * Types what was typed then, each once the guest has printed what it had printed then. Ends where it prints something else,
 * or nothing more; what it has printed is to be compared.
 */
export async function repeat(
  talk: Talk,
  turns: readonly Turn[],
  { atMost }: Patience,
): Promise<readonly string[]> {
  const printed: string[] = [];
  const deadline = Date.now() + atMost;
  let expected = '';
  for (const turn of turns) {
    const before = expected.length;
    expected += turn.printed;
    while (!isDone(talk, turn, expected) && Date.now() < deadline) await pause(20);
    const text = steady(talk.text());
    printed.push(text.slice(before));
    if (text !== expected) break;
    if (turn.typed !== undefined) talk.write(turn.typed);
  }
  return printed;
}

/** A sequence that is noise may not have come whole: the last that was printed says nothing yet. */
const unsure = 100;

function isDone(talk: Talk, turn: Turn, expected: string): boolean {
  if (talk.hasEnded()) return true;
  const text = steady(talk.text());
  if (text === expected) return turn.typed !== undefined;
  const sure = text.slice(0, Math.max(0, text.length - unsure));
  return !expected.startsWith(sure);
}
