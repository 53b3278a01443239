/** A process of its own for tests of the terminal console: answers each piece of input in capitals until input ends. */
import { TerminalConsole } from '../../runtime/host/node/terminal-console.ts';

const [mode] = process.argv.slice(2);
let left = false;
let change = (): void => {};
const changed = (): Promise<void> =>
  new Promise((resolve) => {
    change = resolve;
  });

const console = new TerminalConsole(process, () => {
  left = true;
  change();
});
console.listen(() => change());

const print = async (text: string): Promise<boolean> => {
  for (;;) {
    const answer = console.write(new TextEncoder().encode(text));
    if (answer !== 'full') return answer === 'taken';
    await changed();
  }
};

async function echo(): Promise<number> {
  await print(`ready${console.isTerminal ? ' on a terminal' : ''}\n`);
  for (;;) {
    const bytes = console.read(1000);
    if (left) return 130;
    if (bytes === undefined) return 0;
    if (bytes.length === 0) await changed();
    else await print(new TextDecoder().decode(bytes).toUpperCase());
  }
}

/** Prints for ever, so it ends when nobody reads any more. */
async function flood(): Promise<number> {
  for (let i = 0; await print(`${i}\n`); i++) await new Promise((resolve) => setImmediate(resolve));
  return 7;
}

async function ten(): Promise<number> {
  for (let i = 0; i < 10; i++) await print('x'.repeat(100_000));
  return 3;
}

const programs: Readonly<Record<string, () => Promise<number>>> = { echo, flood, ten };
process.exitCode = (await programs[mode ?? '']?.()) ?? 1;
await console.flush();
console.close();
