/** What a person sees of a console: its bytes drawn on a VT100 of 80 columns and 24 rows. */
import headless from '@xterm/headless';

const size = { cols: 80, rows: 24 } as const;

/** The lines, without blanks at their ends and without empty ones below. */
export async function drawScreen(text: string): Promise<readonly string[]> {
  const terminal = new headless.Terminal({ ...size, allowProposedApi: true });
  await new Promise<void>((drawn) => terminal.write(text, drawn));
  const { active } = terminal.buffer;
  const lines = Array.from({ length: size.rows }, (_, row) =>
    (active.getLine(active.baseY + row)?.translateToString(true) ?? '').trimEnd(),
  );
  terminal.dispose();
  const last = lines.findLastIndex((line) => line !== '');
  return lines.slice(0, last + 1);
}
