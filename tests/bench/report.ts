/** The results as a person reads them. */
import type { Width } from '../../toolchain/index.ts';
import { widths } from '../../toolchain/index.ts';
import { geometricMean, type Ratio, type Row } from './ratios.ts';
import type { Recompiling, Shares, Steps } from './recompiling.ts';
import type { StartUp } from './start-up.ts';

export const heading = [
  'Time relative to native (gcc -O2, same width and CPU): the median of runs, least and most in brackets.',
  'The ratio is of the measured section; `first` is that of the quarter before it, translation and tier-up included.',
  '',
  `${columns(['program', 'kind', 'width'], 'native ms', 'stubdom', 'first', 'qemu-user')}`,
].join('\n');

function columns(
  [program, kind, width]: readonly [string, string, string],
  native: string,
  stubdom: string,
  first: string,
  qemu: string,
): string {
  const left = `${program.padEnd(12)} ${kind.padEnd(8)} ${width.padEnd(7)}`;
  return `${left} ${native.padStart(9)}  ${stubdom.padEnd(24)} ${first.padEnd(6)} ${qemu}`.trimEnd();
}

export const rowText = ({
  program,
  width,
  nativeMilliseconds,
  stubdom,
  first,
  qemu,
}: Row): string =>
  columns(
    [program.name, program.kind, widths[width].name],
    nativeMilliseconds.toFixed(0),
    ratioText(stubdom),
    'ratio' in first ? first.ratio.toFixed(2) : '—',
    qemu === undefined ? '' : ratioText(qemu),
  );

function ratioText(ratio: Ratio): string {
  if ('wrong' in ratio) return `wrong: ${ratio.wrong}`;
  if ('failure' in ratio) return `failed: ${ratio.failure}`;
  const { least, most } = ratio;
  return `${ratio.ratio.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;
}

/** A dash where one of the integer set has no ratio. */
export function meanText(rows: readonly Row[], width: Width): string {
  const ofWidth = rows.filter((row) => row.width === width);
  const mean = (of: 'stubdom' | 'first' | 'qemu'): string =>
    geometricMean(ofWidth, of)?.toFixed(2) ?? '—';
  return columns(
    ['geometric', 'mean', widths[width].name],
    '',
    `${mean('stubdom')} (integer, calls, memory)`,
    mean('first'),
    mean('qemu'),
  );
}

export const startUpText = ({ width, cold, cached, node }: StartUp): string =>
  `hello ${widths[width].name}: first output after ${cold.toFixed(0)} ms cold, ${cached.toFixed(0)} ms cached; of it Node's own start-up ${node.toFixed(0)} ms`;

export function recompilingText(result: Recompiling): string {
  const { image, width, instructions, first, warm, wasmBytesPerX86Byte } = result;
  return [
    `${image} ${widths[width].name}: ${instructions} instructions recompiled, ${wasmBytesPerX86Byte.toFixed(1)} bytes of Wasm a byte of x86`,
    `  µs an instruction in a fresh process: ${stepsText(first)}`,
    `  µs an instruction when V8 is warm:    ${stepsText(warm)}; ${sharesText(warm)}`,
  ].join('\n');
}

const stepsText = ({ reading, writing, checking }: Steps): string =>
  `${(reading + writing + checking).toFixed(1)} (to IR ${reading.toFixed(1)}, to Wasm ${writing.toFixed(1)}, V8's check ${checking.toFixed(1)})`;

const sharesText = ({ decoding, planning }: Shares): string =>
  `of it decoding ${decoding.toFixed(1)}, planning ${planning.toFixed(1)}`;
