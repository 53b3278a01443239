/**
 * One guest function → one Wasm function of the convention (convention.ts), in one of two forms: resumable, which can be
 * entered at any of its entries (resumable-form.ts), or fast, which has one (fast-form.ts).
 */
import type { GuestFunction } from '../discover.ts';
import type { Expression } from '../emit/emitter.ts';
import { FastForm } from './fast-form.ts';
import { Frame, functionName, type ModuleContext } from './frame.ts';
import { inlineCalls } from './inline-calls.ts';
import { BlockLowering } from './lower-block.ts';
import { type BlockPlan, outline, plan, shapeOf } from './plan.ts';
import { type Entry, ResumableForm } from './resumable-form.ts';
import type { Ways } from './ways.ts';

export type Form = 'resumable' | 'fast';

export interface LoweredFunction {
  readonly name: string;
  /** Guest address → selector, for the code map. */
  readonly entries: readonly Entry[];
}

interface Written extends Ways {
  entries(): Entry[];
  write(
    codeOf: (plan: number) => readonly Expression[],
    prologue: readonly Expression[],
  ): Expression[];
}

/**
 * Instructions of a function that calls nothing and takes its host stack without asking: what is beyond the depth that is
 * counted (layout.ts) is enough for one such frame.
 */
const smallLeaf = 500;

/** A function that cannot have the fast form, since its control flow is irreducible or goes on behind a leave, gets the other. */
export function lowerFunction(
  context: ModuleContext,
  fn: GuestFunction,
  form: Form = 'resumable',
): LoweredFunction {
  const whole = form === 'fast' ? inlineCalls(fn, context.functionAt) : fn;
  const outlined = outline(whole);
  const flow = form === 'fast' ? shapeOf(whole, outlined) : undefined;
  const isFast = flow?.isReducible === true && flow.order.length === whole.blocks.length;
  const frame = new Frame(context, isFast ? whole : fn);
  const plans = plan(
    frame.fn === whole ? outlined : outline(fn),
    frame.convention,
    isFast ? flow : undefined,
  );
  const written: Written = isFast
    ? new FastForm(frame, plans, flow)
    : new ResumableForm(frame, plans);
  return finish(frame, plans, written);
}

function finish(frame: Frame, plans: readonly BlockPlan[], form: Written): LoweredFunction {
  const { emitter: e, fn } = frame;
  const codeOf = (index: number): readonly Expression[] => {
    const of = plans[index];
    return of === undefined ? [] : new BlockLowering(frame, form, of, index).write();
  };
  const calls = plans.some((each) => each.calls);
  const asks = calls || fn.instructions > smallLeaf;
  const body = frame.withTails(form.write(codeOf, asks ? entryPoll(frame) : []));
  const prologue = [...frame.receive(), ...(asks ? [frame.deepen()] : []), ...frame.refuel()];
  const name = functionName(fn.entry);
  e.addFunction(
    name,
    frame.convention.parameterTypes,
    frame.convention.resultTypes,
    frame.locals,
    e.block(undefined, [...prologue, ...body, e.unreachable()]),
  );
  return { name, entries: form.entries() };
}

/** A poll, and a look at the host's stack: when that is used up, everything unwinds to the dispatcher, which enters here again. */
function entryPoll(frame: Frame): Expression[] {
  const { emitter: e, fn } = frame;
  const { passed, returned } = frame.convention;
  const poll = frame.aside(() => {
    const again = [...frame.spill(passed & ~returned), ...frame.return(frame.constant(fn.entry))];
    const spent = e.op('i32.or', frame.nextPoll(1), frame.depth());
    frame.statement(
      e.ifRare(e.op('i32.lt_s', spent, e.i32(0)), [
        e.ifRare(e.op('i32.lt_s', frame.depth(), e.i32(0)), again),
        frame.setPlace(fn.entry, true),
        e.branch(frame.tail(passed)),
      ]),
    );
  });
  frame.releaseTemporaries();
  return poll;
}
