#!/usr/bin/env node
/** `stubdom`: finds the command, runs it, and turns what goes wrong into one line and an exit status. */
import { readFileSync } from 'node:fs';
import { UserError } from '../../runtime/errors.ts';
import { type Command, helpText, parseWords, type Terminal, usageError } from './command.ts';

/** Loaded one by one, so that `run` never loads what it does not need. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./commands/run.ts')).run,
  create: async () => (await import('./commands/create.ts')).create,
  restore: async () => (await import('./commands/restore.ts')).restore,
  recompile: async () => (await import('./commands/recompile.ts')).recompile,
  build: async () => (await import('./commands/build.ts')).build,
  inspect: async () => (await import('./commands/inspect.ts')).inspect,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
};

async function main(terminal: Terminal, words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const stream = name === undefined ? terminal.stderr : terminal.stdout;
    stream.write(await overview());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    terminal.stdout.write(`stubdom ${version()}\n`);
    return 0;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) throw usageError(`no command ${name}; try: stubdom --help`);
  const command = await load();
  if (asksForHelp(rest)) {
    terminal.stdout.write(helpText(command));
    return 0;
  }
  const { words: own, options } = parseWords(command, rest);
  return await command.run(terminal, own, options);
}

/** `--help` among the words before `--`. */
function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end < 0 ? undefined : end).includes('--help');
}

async function overview(): Promise<string> {
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  const width = Math.max(...all.map(({ name }) => name.length));
  return [
    'stubdom COMMAND …: Xen stub domains without Xen',
    '',
    ...all.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'stubdom COMMAND --help tells more; --version the version.',
    '',
  ].join('\n');
}

/** package.json lies above the compiled JavaScript's directory. */
function version(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return String((JSON.parse(readFileSync(file, 'utf8')) as { version: unknown }).version);
}

/** Says in one line what a person can act on; anything else is a bug and shows its stack. */
function report(terminal: Terminal, error: unknown): number {
  if (error instanceof UserError) {
    terminal.stderr.write(`stubdom: ${error.message.replaceAll(/\s*\n\s*/g, ' ')}\n`);
    return error.status;
  }
  terminal.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
}

/** A reader that has gone (`stubdom … | head`) is no failure of ours. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await main(process, process.argv.slice(2)).catch((error: unknown) =>
  report(process, error),
);
