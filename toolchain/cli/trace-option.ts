/** `--trace hypercall,blk`: which of a machine's events are printed, one line each, on standard error. */
import { UserError } from '../../runtime/errors.ts';
import { type Trace, type TraceCategory, traceCategories } from '../../runtime/trace.ts';

const isCategory = (word: string): word is TraceCategory =>
  traceCategories.some((category) => category === word);

export function parseTrace(text: string): ReadonlySet<TraceCategory> {
  const words = text.split(',').map((word) => word.trim());
  const wrong = words.find((word) => !isCategory(word));
  if (wrong !== undefined)
    throw new UserError(
      `--trace ${text}: ${wrong === '' ? 'an empty name' : `no ${wrong}`}; expected some of ${traceCategories.join(',')}`,
    );
  return new Set(words.filter(isCategory));
}

/** Undefined where nothing was asked for, so that nobody makes text that nobody reads. */
export function traceTo(
  write: (line: string) => void,
  categories: ReadonlySet<TraceCategory>,
): Trace | undefined {
  if (categories.size === 0) return undefined;
  return (event) => {
    if (event.kind === 'hostCall') return;
    const { kind, also, text } = event;
    if (categories.has(kind) || (also !== undefined && categories.has(also))) write(`${text}\n`);
  };
}
