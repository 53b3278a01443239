/**
 * A vCPU's translated code: made when it is called, taken over from the cache, forgotten when what it was made from is written.
 * It has the form with one entry first; who comes back into the middle of a function makes the form that has many.
 */
import type { GuestFunction } from '../recompiler/discover.ts';
import { buildDispatcher } from '../recompiler/dispatcher.ts';
import type { Form } from '../recompiler/lower/lower-function.ts';
import type { AheadOfTime } from '../recompiler/store/cache.ts';
import { changingAt, isCodeAt } from '../recompiler/store/code-region.ts';
import type { CodeStore, InstalledFunction, Installing } from '../recompiler/store/code-store.ts';
import { CodeWatch } from '../recompiler/store/code-watch.ts';
import type { KeptModule, KeptTranslation } from '../recompiler/store/kept-translation.ts';
import type { StoredFunction } from '../recompiler/store/stored-function.ts';
import type { Decoder } from '../x86/decode.ts';
import { flagRuleNamed } from '../x86/instructions/rules.ts';
import { FlagsCode } from './flags-code.ts';
import { HotLoops } from './hot-loops.ts';
import { JoinedCode } from './joined-code.ts';
import { KeptCode } from './kept-code.ts';
import * as upkeep from './module-upkeep.ts';
import { loadTools, newStore, type Tools, withValidation } from './translation-tools.ts';
import type { Gathering, Tier, TranslationsOptions } from './translations-options.ts';

export class Translations {
  readonly #options: TranslationsOptions;
  readonly tier: Tier;
  readonly #watch: CodeWatch;
  #tools: Tools | undefined;
  #exactFloats = false;
  #checksTaskSwitched = false;
  /** Whether all that is known of the image was translated before it ran. */
  #isWhole = true;
  readonly #joined: JoinedCode;
  whenJoined = (): void => {};
  #store: CodeStore;
  #keptModules = 0;
  #dispatcher: Uint8Array | undefined;
  readonly #flags: FlagsCode;
  /** How many functions have been forgotten so far: where it changes, no frame on the host's stack may go on. */
  removed = 0;
  /** Functions of the fast form whose resumable form has been made. */
  readonly #resumed = new WeakSet<InstalledFunction>();
  readonly #hotLoops = new HotLoops();
  readonly #kept: KeptCode | undefined;

  constructor(options: TranslationsOptions) {
    this.#options = options;
    this.tier = options.tier ?? 'adaptive';
    this.#joined = new JoinedCode(options);
    this.#store = newStore(this.#options);
    const now = this.changing.bind(this);
    if (options.madeWhenCalled) this.#kept = new KeptCode({ ...options, now });
    const { memory, addressSpace, layout, recipes } = options;
    this.#flags = new FlagsCode(layout, recipes, (bytes) => this.#store.useFlags(bytes));
    this.#watch = new CodeWatch(memory, addressSpace, (address) => this.mayChange(address));
    memory.listenToCodeWrites((host, bytes) => this.#forget(this.#watch.madeFrom(host, bytes)));
  }

  /** Counts the modules that the cache may keep: more than at the start, where code was found at run time. */
  get moduleCount(): number {
    return this.#keptModules;
  }

  get size(): CodeStore['size'] {
    return this.#store.size;
  }

  get liveModules(): number {
    return this.#store.modules.size;
  }

  run(): void {
    this.#store.run();
  }

  readonly has = (address: bigint): boolean => this.#store.has(address);

  /** Whether code is there after all, though the code map has lost it. */
  readonly refill = (address: bigint): boolean => this.#store.refill(address);

  /** The same of what was called, or jumped to; if that is a function, its return address is at `sp`. */
  find(address: bigint, isCall: boolean, sp: bigint): boolean {
    const { profile } = this.#joined;
    if (isCall || this.#isFunction(address)) profile.called(address, sp, this.#store);
    return this.#store.refill(address);
  }

  isCode(address: bigint): boolean {
    return isCodeAt(this.#options.code, address);
  }

  mayChange(address: bigint): boolean {
    return changingAt(this.#options.code, address) !== undefined;
  }

  /** Bytes of code as they are now, where the guest can write to them. */
  changing(address: bigint, length: number): Uint8Array | undefined {
    return changingAt(this.#options.code, address)?.now(address, length);
  }

  /** Undefined also where the translator is not loaded: `load` loads it. */
  decoderAt(address: bigint): Decoder | undefined {
    if (this.mayChange(address)) this.#tools?.translator.refresh();
    return this.#tools?.translator.decoderAt(address);
  }

  get isLoaded(): boolean {
    return this.#tools !== undefined;
  }

  /** Whether a function is to be made for an address without code; else it lies inside one that cannot be entered there. */
  wantsCode(address: bigint): boolean {
    return this.tier === 'fast' || this.#isFunction(address) || !this.#isInside(address);
  }

  /** Takes kept translations over; false where they do not fit, and nothing has changed. */
  restore(kept: KeptTranslation): boolean {
    if (!this.#options.recipes.restore(kept.recipes, flagRuleNamed)) return false;
    this.#exactFloats = kept.exactFloats;
    this.#isWhole = kept.isWhole;
    this.#installDispatcher(kept.dispatcher);
    this.#flags.restore(kept.flags);
    if (this.#kept !== undefined) this.#kept.add(kept);
    else for (const module of kept.modules) this.#install(module, true);
    return true;
  }

  /** What the cache may keep: all but what was made from memory that may since have changed. */
  keep(): KeptTranslation {
    if (this.#dispatcher === undefined) throw new TypeError('nothing is translated yet');
    const tools = this.#tools;
    if (tools !== undefined) this.#fresh(tools);
    const modules =
      this.#kept?.keep(this.#store, tools && ((...of) => upkeep.translateApart(tools, ...of))) ??
      [...this.#store.modules].filter(({ isKept }) => isKept);
    return {
      dispatcher: this.#dispatcher,
      flags: this.#flags.bytes,
      modules,
      recipes: this.#options.recipes.names(),
      exactFloats: this.#exactFloats,
      isWhole: this.#isWhole,
    };
  }

  /** Makes the image runnable; where that can wait, functions are made when they are called. */
  async begin(): Promise<void> {
    const { entries, madeWhenCalled = false, layout } = this.#options;
    const [entry] = entries;
    // What the guest may write to is kept as the image has it, so it is made before the guest runs.
    const changes = !madeWhenCalled && (entry === undefined || this.mayChange(entry));
    if (this.tier !== 'adaptive' || changes) return this.translateAll();
    const tools = await this.#loadTools();
    this.#installDispatcher(buildDispatcher(tools.emitter(), layout));
    if (madeWhenCalled) return;
    this.#isWhole = false;
    this.#exactFloats =
      tools.translator.mayTouchMxcsr &&
      this.#gather(tools, entries, {}).some((fn) => fn.touchesMxcsr);
  }

  /** Translates all that is known of the image; ahead of time by binaryen, which checks what it writes. */
  async translateAll(ahead?: AheadOfTime): Promise<void> {
    const tools = await this.#loadTools();
    const { maximumPages } = this.#options.memory;
    const own = ahead === undefined ? tools : await withValidation(tools, maximumPages);
    this.#installDispatcher(buildDispatcher(own.emitter(), this.#options.layout));
    const onProgress = ahead?.onProgress;
    this.#translate(own, this.#options.entries, { isImage: true, onProgress });
  }

  readonly load = async (): Promise<void> => void (await this.#loadTools());

  /** Makes an address enterable, if it is not: by the resumable form of the function around it, or by a function of its own. */
  async translateAt(address: bigint): Promise<void> {
    if (this.#tools === undefined && this.#takeKept(address, 'fast')) return;
    const tools = await this.#loadTools();
    if (!this.#store.has(address)) this.#make(tools, address);
    this.#merge(tools);
  }

  canTranslateNow(address: bigint, isCall: boolean): boolean {
    if (isCall && this.isCode(address)) this.#tools?.translator.know(address);
    return this.#isFunction(address);
  }

  /** Makes a function that is called enterable, while frames of the guest stand; false where that cannot be. */
  translateNow(address: bigint): boolean {
    if (this.#takeKept(address, 'fast')) return this.#store.refill(address);
    if (this.#tools === undefined) return false;
    const gathering = { ...upkeep.together(this.#isWhole, this.#options), framesStand: true };
    // What is translated with it may push it out of the code map.
    return this.#translate(this.#tools, [address], gathering) && this.#store.refill(address);
  }

  #make(tools: Tools, address: bigint): void {
    const isOwn = this.tier === 'fast' || this.#isFunction(address) || this.#isInside(address);
    const [around] = isOwn ? [] : this.#store.containing(address);
    if (around === undefined && this.#takeKept(address, 'fast')) return;
    const together = upkeep.together(this.#isWhole, this.#options);
    if (around === undefined) this.#translate(tools, [address], together);
    else this.#makeResumable(tools, around);
  }

  /** Translates functions once more, together, since more is known of what they do. Nothing of them is on the host's stack. */
  rewrite(entries: readonly bigint[] = []): void {
    if (entries.length === 0 || this.#tools === undefined) return;
    const chosen = new Set(entries);
    const old = this.#store.resumable(chosen);
    this.#translate(this.#tools, entries, { has: (address) => !chosen.has(address) });
    // Who comes back into the middle must not find what was written before; what is wanted there is made then.
    for (const fn of old) this.#remove(fn);
    for (const fn of this.#store.functions) if (chosen.has(fn.entry)) this.#resumed.delete(fn);
    this.#merge(this.#tools);
  }

  /** Notes where polls were spent: what goes round in the resumable form gets a fast function that begins there. */
  sample(address: bigint): void {
    if (this.tier !== 'adaptive') return;
    if (!this.#isWhole) this.#joined.sliceSpent(this.#store);
    if (this.#store.functionAt(address)?.form === 'resumable') this.#hotLoops.note(address);
  }

  /** Whether `sample` found something, and `settle` cannot make it before `load`. */
  get waitsForTools(): boolean {
    return (this.#hotLoops.isHot || this.#joined.isWanted) && this.#tools === undefined;
  }

  /** What waited until no frame of the guest stands. */
  settle(): void {
    if (this.#tools === undefined) return;
    const hot = this.#hotLoops.take();
    if (hot !== undefined && !this.#takeKept(hot, 'fast'))
      this.#translate(this.#tools, [hot], upkeep.withCallees(hot, this.#store, this.#options));
    if (this.#joined.isWanted) this.#join(this.#tools);
    this.#merge(this.#tools);
  }

  /** Goes on joining what has run; when that is made, it stands in for what was made function by function. */
  #join(tools: Tools): void {
    const module = this.#joined.step({
      ...{ tools, exactFloats: this.#exactFloats },
      entries: () => this.#store.functions.map(({ entry }) => entry),
      mayChange: (address) => this.mayChange(address),
    });
    if (module === undefined) return;
    const before = this.#store.functions;
    if (module.asksFlags) this.#flags.update(tools.emitter, true);
    this.#install(module, !module.functions.some(({ tables }) => tables.length > 0));
    for (const fn of before) if (!this.#store.isEntered(fn)) this.#remove(fn);
    this.whenJoined();
  }

  #isFunction(address: bigint): boolean {
    return this.#tools?.translator.isEntry(address) === true || this.#kept?.has(address) === true;
  }

  /** Installs what an earlier run made of the very same code; false where it made nothing. */
  #takeKept(entry: bigint, form: Form): boolean {
    const module = this.#kept?.take(entry, form);
    if (module !== undefined) this.#install(module, false);
    return module !== undefined;
  }

  #isInside(address: bigint): boolean {
    return [...this.#store.containing(address)].some(
      (fn) => fn.form === 'resumable' || this.#resumed.has(fn),
    );
  }

  #makeResumable(tools: Tools, fn: InstalledFunction): void {
    this.#resumed.add(fn);
    if (this.#takeKept(fn.entry, 'resumable')) return;
    this.#installFunctions(tools, [this.#fresh(tools).discover(fn.entry)], 'resumable');
  }

  /** False where nothing has changed, since it would have to be forgotten what frames that stand belong to. */
  #translate(tools: Tools, entries: readonly bigint[], gathering: Gathering): boolean {
    const form = this.tier === 'resumable' ? 'resumable' : 'fast';
    const functions = this.#gather(tools, entries, gathering);
    const becomesExact = !this.#exactFloats && functions.some(({ touchesMxcsr }) => touchesMxcsr);
    if (becomesExact && gathering.framesStand) return false;
    this.#exactFloats ||= becomesExact;
    if (becomesExact) this.#startAnew();
    const all = [...(this.#isWhole ? this.#options.entries : []), ...entries];
    const wanted = becomesExact ? this.#gather(tools, all, {}) : functions;
    this.#installFunctions(tools, wanted, form, gathering);
    return true;
  }

  #gather(tools: Tools, entries: readonly bigint[], gathering: Gathering): GuestFunction[] {
    const { has = (address) => this.#store.has(address), most } = gathering;
    const { calledAt } = this.#joined.profile;
    return this.#fresh(tools).gather(entries, has, { most, calledAt });
  }

  /** The translator, with code as it stands now. */
  #fresh({ translator }: Tools): Tools['translator'] {
    translator.exactFloats = this.#exactFloats;
    translator.checksTaskSwitched = this.#checksTaskSwitched;
    translator.refresh();
    return translator;
  }

  #installFunctions(
    tools: Tools,
    functions: readonly GuestFunction[],
    form: Form,
    { isImage = false, onProgress, root }: Gathering = {},
  ): void {
    if (functions.length === 0) return;
    // Who comes back into the middle of a function calls its callees in their fast form.
    const dispatches = form === 'resumable' && this.tier === 'adaptive';
    const isHot = isImage || root !== undefined || this.tier === 'fast';
    const { calledAt } = this.#joined.profile;
    const options = { onProgress, dispatches, calledAt, isHot };
    const module =
      root === undefined
        ? tools.translator.translate(tools.emitter(), functions, form, options)
        : new upkeep.Beside(this.#store, root, functions).translate(tools, options);
    if (module.asksFlags) this.#flags.update(tools.emitter, this.#isWhole);
    const changes = ({ code, tables }: StoredFunction): boolean =>
      tables.length > 0 || code.some(({ from }) => this.mayChange(from));
    this.#install(module, this.#kept !== undefined || isImage || !module.functions.some(changes));
  }

  /** CR0.TS, or MXCSR by other code than is translated, may be set from now on. */
  check({ taskSwitched = this.#checksTaskSwitched, mxcsr = this.#exactFloats }): void {
    if (taskSwitched === this.#checksTaskSwitched && mxcsr === this.#exactFloats) return;
    [this.#checksTaskSwitched, this.#exactFloats] = [taskSwitched, mxcsr];
    this.#joined.restart();
    this.#startAnew();
  }

  /** Somebody may look at MXCSR, or set CR0.TS: what was translated without it is forgotten. */
  #startAnew(): void {
    this.removed++;
    this.#kept?.clear();
    this.#watch.clear();
    this.#store = newStore(this.#options);
    if (this.#dispatcher !== undefined) this.#store.installDispatcher(this.#dispatcher);
    this.#flags.use();
  }

  readonly flags = (): number => this.#store.flags();

  /** They had to be computed without the module that does so. */
  missFlags(): void {
    if (this.#flags.missed() && this.#tools) this.#flags.update(this.#tools.emitter, true);
  }

  #installDispatcher(bytes: Uint8Array): void {
    this.#dispatcher = bytes;
    this.#store.installDispatcher(bytes);
  }

  #install(kept: KeptModule & Pick<Installing, 'partOf'>, isKept: boolean): void {
    if (isKept) this.#keptModules++;
    const { bytes, functions, partOf } = kept;
    const module = this.#store.install(bytes, functions, { isKept, partOf });
    this.#kept?.installed(module, kept);
    for (const fn of module.live) this.#watch.add(fn);
  }

  /** Page tables have changed, at an address or anywhere: what was made from what leads elsewhere now is forgotten. */
  remapped(address?: bigint): void {
    this.#forget(address === undefined ? this.#watch.remapped() : this.#watch.remappedAt(address));
  }

  #forget(made: ReadonlySet<InstalledFunction>): void {
    if (made.size === 0) return;
    for (const { code } of made) this.#tools?.translator.replaced(code);
    for (const fn of upkeep.withCallers(made)) this.#remove(fn);
  }

  #remove(fn: InstalledFunction): void {
    this.removed++;
    this.#store.remove(fn);
    this.#watch.remove(fn);
  }

  /** Keeps the number of modules bounded: what is left of the smallest becomes one. */
  #merge(tools: Tools): void {
    const modules = upkeep.crowded(this.#store.modules, this.#options.mostModules);
    if (modules.length === 0) return;
    const translator = this.#fresh(tools);
    const old = modules.flatMap(({ live }) => [...live]);
    for (const form of ['fast', 'resumable'] as const) {
      const entries = new Set(old.filter((fn) => fn.form === form).map(({ entry }) => entry));
      const functions = [...entries].map((entry) => translator.discover(entry));
      this.#installFunctions(tools, functions, form);
    }
    for (const fn of old) this.#remove(fn);
  }

  async #loadTools(): Promise<Tools> {
    this.#tools ??= await loadTools(this.#options, this.#options.memory.maximumPages);
    return this.#tools;
  }
}
