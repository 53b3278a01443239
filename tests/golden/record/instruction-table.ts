/** runtime/x86/INSTRUCTIONS.md: every mnemonic of our CPU, and how many vectors or which test stands behind it. */
import type { CpuWidth } from '../../support/cpu-oracle.ts';
import {
  absent,
  handTested,
  type InstructionForm,
  ourForms,
} from '../../support/instruction-set.ts';
import type { VectorCounts } from '../../support/vector-counts.ts';

export const instructionTablePath = 'runtime/x86/INSTRUCTIONS.md';

const introduction = `# The instruction set

Written by \`npm run instructions\`; a test holds it up to date. Every mnemonic of the features that CPUID shows, as iced-x86
spells them: how many vectors recorded from a real CPU it passes in each width, evaluated and as Wasm; or the test that holds it
against the manual by hand, where no user program can record it; or – where the mode does not have it. Two meanings of one
mnemonic stand apart, by the name of the form. A form that is not here raises #UD.

What a processor may choose, and what is chosen here:

- The last x87 instruction and operand (FIP, FDP, FOP) are 0 until FLDENV, FRSTOR or FXRSTOR loads them; their selectors are 0.
- LAR gives 0 for the bits that are undefined; a null selector in FS or GS makes their base 0; TF and AC of EFLAGS are kept and
  mean nothing (CR0.AM is 0, and nobody steps).
- A segment with a base in ES, CS, SS or DS, a call gate, a task switch and code of another width than the image's end the
  domain with a message. Limits of segments are not looked at, and a null DS, ES, FS or GS may be used in 32-bit code.
- A jump to an address that is not canonical raises #GP(0) at that address, not at the jump.
- The time-stamp counter counts nanoseconds and grows with every reading.
- RCPPS, RSQRTPS and the transcendental functions of the x87 are as near as the manual asks; other processors differ.
`;

/** Headings, in the order of the chapters of SDM vol. 1, 5. */
const order =
  'INTEL8086 INTEL186 INTEL286 INTEL386 INTEL486 X64 CPUID CMOV CX8 CMPXCHG16B MULTIBYTENOP PAUSE TSC RDTSCP RDPMC MSR SYSCALL FSGSBASE CLFSH PREFETCHW POPCNT LZCNT MOVBE BMI1 BMI2 FPU FPU287 FPU387 MMX FXSR SSE SSE2 SSE3 SSSE3 SSE4_1 SSE4_2 AES PCLMULQDQ'.split(
    ' ',
  );

const titles: Readonly<Record<string, string>> = {
  INTEL8086: 'Since the 8086',
  INTEL186: 'Since the 80186',
  INTEL286: 'Since the 80286',
  INTEL386: 'Since the 80386',
  INTEL486: 'Since the 80486',
  X64: 'x86-64',
  FPU: 'x87',
  FPU287: 'x87 since the 80287',
  FPU387: 'x87 since the 80387',
  CLFSH: 'CLFLUSH',
  CX8: 'CMPXCHG8B',
  MULTIBYTENOP: 'Hints',
  SSE4_1: 'SSE4.1',
  SSE4_2: 'SSE4.2',
};

interface Row {
  readonly row: string;
  readonly feature: string;
  readonly widths: ReadonlySet<CpuWidth>;
}

/** A mnemonic stands under the oldest feature that has a form of it. */
function rowsOf(forms: readonly InstructionForm[]): Row[] {
  const rows = new Map<string, { feature: number; widths: Set<CpuWidth> }>();
  for (const { row, features, widths } of forms) {
    const feature = Math.max(...features.map((name) => order.indexOf(name)));
    if (feature < 0) throw new TypeError(`${row}: no heading for ${features.join(', ')}`);
    const known = rows.get(row) ?? { feature, widths: new Set<CpuWidth>() };
    for (const width of widths) known.widths.add(width);
    rows.set(row, { ...known, feature: Math.min(known.feature, feature) });
  }
  return [...rows]
    .map(([row, { feature, widths }]) => ({ row, feature: order[feature] ?? '', widths }))
    .sort((a, b) => (a.row < b.row ? -1 : 1));
}

function cell({ row, widths }: Row, width: CpuWidth, counts: VectorCounts): string {
  if (!widths.has(width)) return '–';
  const count = counts[width].get(row);
  if (count !== undefined) return String(count);
  const test = handTested[row];
  if (test !== undefined) return `by hand: \`${test.replace('tests/runtime/', '')}\``;
  const other = counts[width === 64 ? 32 : 64].get(row);
  if (other === undefined) throw new TypeError(`${row} has neither vectors nor a test`);
  return 'as in the other width';
}

/** Padded as the formatter wants it. */
function table(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, i) =>
    Math.max(3, ...lines.map((line) => line[i]?.length ?? 0)),
  );
  const text = lines.map(
    (line) => `| ${line.map((entry, i) => entry.padEnd(widths[i] ?? 0)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [text[0], rule, ...text.slice(1)].join('\n');
}

export function instructionTable(counts: VectorCounts): string {
  const rows = rowsOf(ourForms());
  const sections = order.flatMap((feature) => {
    const own = rows.filter((row) => row.feature === feature);
    if (own.length === 0) return [];
    const lines = own.map((row) => [row.row, cell(row, 64, counts), cell(row, 32, counts)]);
    const title = `## ${titles[feature] ?? feature}`;
    return [`${title}\n\n${table([['', 'x86-64', 'x86-32'], ...lines])}\n`];
  });
  const missing = table([['Features', 'Why not'], ...absent.map((line) => [...line])]);
  return [introduction, ...sections, `## Not there\n\n${missing}\n`].join('\n');
}
