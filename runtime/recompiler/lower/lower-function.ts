/**
 * One guest function → one Wasm function of the convention (convention.ts), in one of two forms: resumable, which can be
 * entered at any of its entries (resumable-form.ts), or fast, which has one (fast-form.ts).
 */
import { AccessGroups } from '../access/access-groups.ts';
import { carriedChecks } from '../access/carried-checks.ts';
import type { GuestFunction } from '../discover.ts';
import type { Expression } from '../emit/emitter.ts';
import type { Layout } from '../layout.ts';
import { chunkLoops, type WaysOfBlock } from './chunk-loops.ts';
import type { ControlFlow } from './control-flow.ts';
import { FastForm } from './fast-form.ts';
import { Frame, functionName, type ModuleContext } from './frame.ts';
import { inlineCalls } from './inline-calls.ts';
import { BlockLowering } from './lower-block.ts';
import { mergeBlocks } from './merge-blocks.ts';
import { unlessMore } from './more-polls.ts';
import { type BlockPlan, outline, plan, shapeOf, waysFrom } from './plan.ts';
import { type Entry, ResumableForm } from './resumable-form.ts';
import type { Ways } from './ways.ts';

export type Form = 'resumable' | 'fast';

export interface LoweredFunction {
  readonly name: string;
  /** Not every function can have the fast form. */
  readonly form: Form;
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
  const shaped = form === 'fast' ? shapedFor(context, fn) : undefined;
  const frame = new Frame(context, shaped?.whole ?? fn);
  const outlined = shaped?.outlined ?? outline(fn);
  if (shaped !== undefined && context.isHot && context.layout.paging === undefined)
    carriedChecks(outlined, context.layout.mode, shaped.flow).forEach((checks, i) => {
      const of = outlined[i];
      if (of !== undefined) of.checks = checks;
    });
  const plans = plan(outlined, frame.convention, shaped?.flow, context.isHot);
  const written: Written =
    shaped === undefined
      ? new ResumableForm(frame, plans)
      : new FastForm(frame, plans, shaped.flow);
  return finish(frame, plans, written, shaped === undefined ? 'resumable' : 'fast');
}

/** What the fast form is written from. */
interface Shaped {
  readonly whole: GuestFunction;
  readonly outlined: BlockPlan[];
  readonly flow: ControlFlow;
}

/** With copies of what it calls, and with its loops in chunks; undefined where there is no fast form. */
function shapedFor(context: ModuleContext, fn: GuestFunction): Shaped | undefined {
  const { layout } = context;
  const calledAt = (returnTo: bigint) => context.calledAt(returnTo).filter(context.has);
  const known = { functionAt: context.functionAt, calledAt };
  const shaped = shape(mergeBlocks(inlineCalls(fn, known)));
  if (shaped === undefined) return shaped;
  const { whole, outlined, flow } = shaped;
  if (flow.heads.size === 0) return shaped;
  const ways = outlined.map(waysFrom);
  const chunked = chunkLoops(whole, layout.mode, flow, ways, waysOf(layout, whole));
  return chunked === whole ? shaped : shape(chunked);
}

/** How the accesses of a loop's blocks are reached; those of which nothing is known yet do not go in chunks. */
function waysOf({ mode, paging }: Layout, fn: GuestFunction): WaysOfBlock | undefined {
  if (paging === undefined) return undefined;
  const { sites } = paging;
  return (block) => {
    const groups = new AccessGroups(block, mode, (...access) => sites.isApart(...access));
    return (statement) => {
      const { group } =
        statement.kind === 'store' ? groups.ofStore(statement) : groups.ofLoad(statement);
      const chosen = sites.classOfGroup(fn, group);
      if (chosen.kind === 'window') return chosen.run;
      return chosen.kind === 'noted' ? undefined : 'tlb';
    };
  };
}

function shape(whole: GuestFunction): Shaped | undefined {
  const outlined = outline(whole);
  const flow = shapeOf(whole, outlined);
  const isFast = flow.isReducible && flow.order.length === whole.blocks.length;
  return isFast ? { whole, outlined, flow } : undefined;
}

function finish(
  frame: Frame,
  plans: readonly BlockPlan[],
  written: Written,
  form: Form,
): LoweredFunction {
  const { emitter: e, fn } = frame;
  const codeOf = (index: number): readonly Expression[] => {
    const of = plans[index];
    return of === undefined ? [] : new BlockLowering(frame, written, of, index).write();
  };
  const calls = plans.some((each) => each.calls);
  const asks = calls || fn.instructions > smallLeaf;
  const body = frame.withTails(written.write(codeOf, asks ? entryPoll(frame) : []));
  const prologue = [
    ...frame.begin(),
    ...frame.calls.receive(),
    ...(asks ? [frame.deepen()] : []),
    ...frame.refuel(),
  ];
  const name = functionName(fn.entry);
  e.addFunction(
    name,
    frame.convention.parameterTypes,
    frame.convention.resultTypes,
    frame.locals,
    e.block(undefined, [...prologue, ...body, e.unreachable()]),
  );
  return { name, form, entries: written.entries() };
}

/** A poll, and a look at the host's stack: when that is used up, everything unwinds to the dispatcher, which enters here again. */
function entryPoll(frame: Frame): Expression[] {
  const { emitter: e, fn } = frame;
  const { passed, returned } = frame.convention;
  const poll = frame.aside(() => {
    const again = [
      ...frame.spill(passed & ~returned),
      ...frame.calls.return(frame.constant(fn.entry)),
    ];
    const spent = e.op('i32.or', frame.nextPoll(1), frame.depth());
    frame.statement(
      e.ifRare(e.op('i32.lt_s', spent, e.i32(0)), [
        e.ifRare(e.op('i32.lt_s', frame.depth(), e.i32(0)), again),
        unlessMore(e, [frame.setPlace(fn.entry, true), e.branch(frame.tail(passed))]),
      ]),
    );
  });
  frame.releaseTemporaries();
  return poll;
}
