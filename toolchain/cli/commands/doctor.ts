/** `stubdom doctor`: what is installed, what is missing, and the one line that gets it. */
import { findCompiler } from '../../c/compiler.ts';
import { cachedSysroot } from '../../c/sysroot.ts';
import { type Width, widths } from '../../c/width.ts';
import { installLine, missingTools, type ToolName, testTools, tools } from '../../debian/tools.ts';
import type { Command } from '../command.ts';

export const doctor: Command = {
  name: 'doctor',
  summary: 'Say what is installed, what is missing and how to get it.',
  usage: 'doctor',

  async run(terminal) {
    const names = (Object.keys(tools) as ToolName[]).filter((name) => !testTools.has(name));
    const missing = new Set(await missingTools(names));
    const nameWidth = Math.max(...names.map((name) => name.length), 'sysroot x86-64'.length);
    const row = (mark: string, name: string, text: string) =>
      terminal.stdout.write(`${mark.padEnd(8)}${name.padEnd(nameWidth)}  ${text}\n`);

    row('ok', 'node', process.version);
    for (const name of names) row(missing.has(name) ? 'MISSING' : 'ok', name, tools[name].purpose);
    if (!missing.has('gcc')) row('', '', (await findCompiler(64)).version);
    for (const width of [64, 32] as const) await sysrootRow(width, row);
    if (missing.size === 0) return 0;
    const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
    terminal.stdout.write(`\nGet what is missing by:\n  ${sudo}${installLine([...missing])}\n`);
    return 1;
  },
};

async function sysrootRow(
  width: Width,
  row: (mark: string, name: string, text: string) => void,
): Promise<void> {
  const directory = await cachedSysroot(width);
  const name = `sysroot ${widths[width].name}`;
  if (directory === undefined) row('-', name, 'not built yet; the first `stubdom build` does it');
  else row('ok', name, directory);
}
