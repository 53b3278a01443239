/** What must go together: functions that call each other without the dispatcher, and modules of which little is left. */
import type { InstalledFunction, InstalledModule } from '../recompiler/store/code-store.ts';

/** Each costs V8 26 KB, whatever it holds; to make one of many costs as much as it did to make those. */
const mostModules = 1024;
/** What a module of this size costs is worth it; it is not made anew. */
const largeModule = 1000;

/** Functions, and all that reach one of them by direct calls: those calls cannot be turned elsewhere. */
export function withCallers(functions: Iterable<InstalledFunction>): Set<InstalledFunction> {
  const found = new Set(functions);
  for (const module of new Set([...found].map((fn) => fn.module))) addCallers(module, found);
  return found;
}

/** Direct calls stay inside of a module. */
function addCallers({ live }: InstalledModule, found: Set<InstalledFunction>): void {
  const callers = new Map<bigint, InstalledFunction[]>();
  for (const fn of live)
    for (const callee of fn.calls) callers.set(callee, [...(callers.get(callee) ?? []), fn]);
  const pending = [...live].filter((fn) => found.has(fn));
  for (let fn = pending.pop(); fn !== undefined; fn = pending.pop())
    for (const caller of callers.get(fn.entry) ?? [])
      if (!found.has(caller)) {
        found.add(caller);
        pending.push(caller);
      }
}

/** Modules to be made one, since there are too many: those of which the least is left. */
export function crowded(
  modules: ReadonlySet<InstalledModule>,
  most = mostModules,
): InstalledModule[] {
  if (modules.size <= most) return [];
  const small = [...modules].filter(({ live }) => live.size < largeModule);
  small.sort((a, b) => a.live.size - b.live.size);
  return small.slice(0, Math.max(small.length - most / 2, 2));
}
