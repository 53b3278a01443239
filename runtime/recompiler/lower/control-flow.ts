/**
 * The shape of a function's control flow: reverse postorder, dominators (Cooper, Harvey and Kennedy, "A Simple, Fast
 * Dominance Algorithm"), loop heads. Nodes are numbers.
 */

export interface ControlFlow {
  /** Reachable nodes in reverse postorder. */
  readonly order: readonly number[];
  /** Place in the order; -1 of what cannot be reached. */
  readonly place: readonly number[];
  /** Immediate dominators; the entry's is itself. */
  readonly dominator: readonly number[];
  /** Nodes that a backward edge goes to. */
  readonly heads: ReadonlySet<number>;
  /** Every backward edge goes to a node that dominates it. */
  readonly isReducible: boolean;
  /** Forward edges into each node. */
  readonly entering: readonly number[];
}

export function controlFlow(
  successors: readonly (readonly number[])[],
  entry: number,
): ControlFlow {
  const order = reversePostorder(successors, entry);
  const place: number[] = successors.map(() => -1);
  order.forEach((node, i) => {
    place[node] = i;
  });
  const dominator = dominators(order, place, predecessors(order, successors));
  const heads = new Set<number>();
  const entering: number[] = successors.map(() => 0);
  let isReducible = true;
  for (const from of order) {
    for (const to of successors[from] ?? []) {
      if (at(place, to) > at(place, from)) {
        entering[to] = at(entering, to) + 1;
        continue;
      }
      heads.add(to);
      isReducible &&= dominates(dominator, place, to, from);
    }
  }
  return { order, place, dominator, heads, isReducible, entering };
}

export const at = (list: readonly number[], index: number): number => list[index] ?? -1;

/** Depth first with a stack of its own: blocks follow each other by the thousand. */
function reversePostorder(successors: readonly (readonly number[])[], entry: number): number[] {
  const seen = new Set([entry]);
  const postorder: number[] = [];
  const stack = [{ node: entry, next: 0 }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const to = successors[top.node]?.[top.next++];
    if (to === undefined) {
      postorder.push(top.node);
      stack.pop();
    } else if (!seen.has(to)) {
      seen.add(to);
      stack.push({ node: to, next: 0 });
    }
  }
  return postorder.reverse();
}

function predecessors(
  order: readonly number[],
  successors: readonly (readonly number[])[],
): number[][] {
  const into: number[][] = successors.map(() => []);
  for (const from of order) for (const to of successors[from] ?? []) into[to]?.push(from);
  return into;
}

function dominators(
  order: readonly number[],
  place: readonly number[],
  into: readonly (readonly number[])[],
): number[] {
  const dominator: number[] = place.map(() => -1);
  const [entry = 0] = order;
  dominator[entry] = entry;
  const meet = (a: number, b: number): number => {
    let x = a;
    let y = b;
    while (x !== y) {
      if (at(place, x) > at(place, y)) x = at(dominator, x);
      else y = at(dominator, y);
    }
    return x;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 1; i < order.length; i++) {
      const node = at(order, i);
      const found = nearest(into[node] ?? [], dominator, meet);
      changed ||= found !== dominator[node];
      dominator[node] = found;
    }
  }
  return dominator;
}

/** What dominates all those nodes of which something is known; -1 if nothing is. */
function nearest(
  nodes: readonly number[],
  dominator: readonly number[],
  meet: (a: number, b: number) => number,
): number {
  let found = -1;
  for (const node of nodes)
    if (at(dominator, node) >= 0) found = found < 0 ? node : meet(found, node);
  return found;
}

function dominates(
  dominator: readonly number[],
  place: readonly number[],
  above: number,
  below: number,
): boolean {
  let node = below;
  while (at(place, node) > at(place, above)) node = at(dominator, node);
  return node === above;
}
