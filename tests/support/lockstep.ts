/** Runs programs in lockstep: the reference evaluator, recompiled Wasm and the machine's CPU must end alike. */

import type { Tier } from '../../runtime/cpu/translations-options.ts';
import { type Flag, flagNames } from '../../runtime/ir/ops.ts';
import type { Mode } from '../../runtime/x86/registers.ts';
import { vectors } from '../../runtime/x86/semantics.ts';
import type { CpuCase, CpuOracle } from './cpu-oracle.ts';
import { type Ended, type Evaluated, evaluateProgram } from './lockstep-evaluator.ts';
import { FormPool } from './lockstep-form-writer.ts';
import { classifiedForms } from './lockstep-forms.ts';
import { listing, type Program, place, slotSize, slots } from './lockstep-items.ts';
import { type Kind, randomProgram } from './lockstep-programs.ts';
import { VcpuExecutor, type VcpuProgram } from './lockstep-vcpu.ts';
import { random } from './random.ts';
import { flatten } from './vectors/state.ts';

/** More than any program takes. */
const steps = 1_000_000;

export interface LockstepReport {
  /** Programs that ran on all three, and how many instructions they took. */
  readonly programs: number;
  readonly instructions: number;
  /** Programs whose outcome depends on flags that the manual leaves undefined. */
  readonly skipped: number;
  /** Programs that ended by an exception other than int3. */
  readonly faulted: number;
  /** What differed: seed, differences, the shortest program that still differs. */
  readonly wrong: readonly string[];
}

/** What a program says must not depend on what undefined flags read as. */
const undefinedFlags: readonly (readonly Flag[])[] = [flagNames, ['CF', 'PF', 'SF']];

interface Racer {
  readonly seed: number;
  readonly program: Program;
  readonly asked: CpuCase;
}

/** Whether the program of a seed runs with floats that obey MXCSR. */
const isExact = (seed: number): boolean => Math.floor(seed / slots) % 4 === 0;

/** What the evaluator may take for one that seems wrong. */
const longest = 2_000_000;

/** With its jump tables in memory; undefined where it is too long for its slot. */
function caseOf(program: Program): CpuCase | undefined {
  const { mode, state } = program;
  const { code, labels } = place(program.items, state.rip);
  if (code.length > slotSize) return undefined;
  const word = mode / 8;
  const tables = program.tables.map((table) => {
    const bytes = new Uint8Array(table.labels.length * word);
    table.labels.forEach((label, i) => {
      new DataView(bytes.buffer).setUint32(i * word, Number(labels.get(label) ?? 0n), true);
    });
    return { address: table.address, bytes };
  });
  return { code, state, memory: [...program.memory, ...tables], steps };
}

interface Expected {
  readonly evaluated: Ended;
  /** Flags that say nothing. */
  readonly ignored: bigint;
  /** Whether floats keep MXCSR's sticky flags. */
  readonly exactFloats: boolean;
}

interface Prepared extends Racer, Expected {
  readonly evaluated: Evaluated;
}

export class Lockstep {
  readonly #mode: Mode;
  readonly #pool: FormPool;
  readonly #executor: VcpuExecutor;
  readonly #oracle: CpuOracle;

  constructor(mode: Mode, oracle: CpuOracle, isPaged = false, tier: Tier = 'resumable') {
    this.#mode = mode;
    this.#pool = new FormPool(classifiedForms(mode));
    this.#executor = new VcpuExecutor(mode, isPaged, tier);
    this.#oracle = oracle;
  }

  /** Programs of the seeds from `seed` on; stops at `most` wrong ones. */
  async run(kind: Kind, seed: number, count: number, most = 3): Promise<LockstepReport> {
    const total = { programs: 0, instructions: 0, skipped: 0, faulted: 0 };
    const wrong: string[] = [];
    // Groups begin at multiples of their size, so that a seed alone finds the same place and the same way of floats.
    for (let next = seed; next < seed + count && wrong.length < most; ) {
      const end = Math.min(seed + count, (Math.floor(next / slots) + 1) * slots);
      const group: Prepared[] = [];
      for (; next < end; next++) {
        const prepared = this.#prepare(this.#program(kind, next), next);
        if (prepared === undefined) total.skipped++;
        else group.push(prepared);
      }
      for (const { evaluated } of group) {
        total.programs++;
        total.instructions += evaluated.steps;
        if (evaluated.vector !== vectors.BP) total.faulted++;
      }
      const differences = await this.#differences(group);
      for (const [i, prepared] of group.entries()) {
        const found = differences[i] ?? [];
        if (found.length > 0) wrong.push(await this.#report(kind, prepared, found));
      }
    }
    return { ...total, wrong };
  }

  #program(kind: Kind, seed: number): Program {
    return randomProgram(this.#mode, this.#pool, random(seed), kind, seed % slots);
  }

  /**
   * Long programs of the seeds from `seed` on, on the CPU and in Wasm alone; the evaluator is asked where they differ, and
   * says whether that depends on undefined flags. Stops after so many instructions, or at `most` wrong programs.
   */
  async race(
    seed: number,
    instructions: number,
    most = 3,
  ): Promise<LockstepReport & { readonly next: number }> {
    const total = { programs: 0, instructions: 0, skipped: 0, faulted: 0 };
    const wrong: string[] = [];
    let next = Math.floor(seed / slots) * slots;
    for (; total.instructions < instructions && wrong.length < most; next += slots) {
      const report = await this.#raceGroup(next);
      for (const key of ['programs', 'instructions', 'skipped', 'faulted'] as const)
        total[key] += report[key];
      wrong.push(...report.wrong);
    }
    return { ...total, wrong, next };
  }

  async #raceGroup(first: number): Promise<LockstepReport> {
    const group = Array.from({ length: slots }, (_, i) => this.#racer(first + i)).flatMap(
      (racer) => racer ?? [],
    );
    const exactFloats = isExact(first);
    const answers = await this.#oracle.run(group.map(({ asked }) => asked));
    const asked = group.map((racer) => this.#asked(racer));
    const ended = await this.#executor.run(asked, exactFloats);
    const isRight = (i: number): boolean => {
      const [answer, wasm] = [answers[i], ended[i]];
      if (answer === undefined || wasm === undefined) throw new TypeError('an answer is missing');
      const expected = { evaluated: endedOf(answer), ignored: 0n, exactFloats };
      return !('thrown' in wasm) && this.#compare('Wasm', expected, wasm).length === 0;
    };
    const suspects = group.filter((_, i) => !isRight(i));
    const found: (string | undefined)[] = [];
    for (const suspect of suspects) found.push(await this.#judge(suspect));
    return {
      programs: group.length,
      instructions: answers.reduce((sum, answer) => sum + answer.steps, 0),
      faulted: answers.filter(({ exception }) => exception?.vector !== vectors.BP).length,
      skipped: found.filter((text) => text === undefined).length,
      wrong: found.flatMap((text) => text || []),
    };
  }

  #racer(seed: number): Racer | undefined {
    const program = this.#program('long', seed);
    const asked = caseOf(program);
    return asked && { seed, program, asked };
  }

  /** What the evaluator says of a program that seems wrong: undefined where its outcome says nothing. */
  async #judge({ seed, program }: Racer): Promise<string | undefined> {
    const prepared = this.#prepare(program, seed, longest);
    if (prepared === undefined) return undefined;
    const [found = []] = await this.#differences([prepared]);
    return found.length === 0 ? '' : this.#report('long', prepared, found);
  }

  /** Undefined where a program's outcome says nothing. */
  #prepare(program: Program, seed: number, mostSteps?: number): Prepared | undefined {
    const asked = caseOf(program);
    if (asked === undefined) return undefined;
    const { code, state, memory } = asked;
    const evaluated = evaluateProgram(this.#mode, code, state, memory, new Set(), mostSteps);
    if (evaluated === undefined) return undefined;
    // The vCPU's one run covers what lies between the oracle's regions: loads do not fault there.
    if (evaluated.vector === vectors.PF) return undefined;
    const others = undefinedFlags.map((flags) =>
      evaluateProgram(this.#mode, code, state, memory, new Set(flags), mostSteps),
    );
    const prepared = {
      seed,
      program,
      evaluated,
      asked,
      ignored: others.reduce(
        (all, other) => all | (evaluated.state.rflags ^ (other?.state.rflags ?? 0n)),
        evaluated.undefinedFlags,
      ),
      exactFloats: isExact(seed),
    };
    const isSame = others.every(
      (other) => other !== undefined && this.#compare('', prepared, other).length === 0,
    );
    return isSame ? prepared : undefined;
  }

  /** Of each program. */
  async #differences(group: readonly Prepared[]): Promise<string[][]> {
    const [first] = group;
    if (first === undefined) return [];
    const answers = await this.#oracle.run(group.map(({ asked }) => asked));
    const ended = await this.#executor.run(
      group.map((prepared) => this.#asked(prepared)),
      first.exactFloats,
    );
    return group.map((prepared, i) => {
      const answer = answers[i];
      const wasm = ended[i];
      if (answer === undefined || wasm === undefined) throw new TypeError('an answer is missing');
      return [
        ...this.#compare('CPU', prepared, endedOf(answer)),
        ...('thrown' in wasm
          ? [`Wasm: ${String(wasm.thrown)}`]
          : this.#compare('Wasm', prepared, wasm)),
      ];
    });
  }

  #asked({ program, asked }: Racer): VcpuProgram {
    const { labels } = place(program.items, program.state.rip);
    const constants = new Map<bigint, bigint>();
    for (const { address, labels: names } of program.tables)
      names.forEach((name, i) => {
        constants.set(address + BigInt((i * this.#mode) / 8), labels.get(name) ?? 0n);
      });
    return {
      ...asked,
      entries: program.entries.map((name) => labels.get(name) ?? 0n),
      // Without constants the ways of a jump table are found when they are gone.
      constants: program.polls % 2 === 0 ? constants : new Map(),
      polls: program.polls,
    };
  }

  #compare(name: string, { evaluated, ignored, exactFloats }: Expected, actual: Ended): string[] {
    const wrong: string[] = [];
    const told = (place: string, expected: bigint | number, found: bigint | number): void => {
      if (BigInt(expected) !== BigInt(found))
        wrong.push(`${name}: ${place} 0x${found.toString(16)}, not 0x${expected.toString(16)}`);
    };
    told('vector', evaluated.vector, actual.vector);
    told('rip', evaluated.state.rip, actual.state.rip);
    if (evaluated.vector === 14) told('address', evaluated.address, actual.address);
    const found = flatten(actual.state, this.#mode);
    for (const [at, value] of flatten(evaluated.state, this.#mode)) {
      const isCompared = at !== 'mxcsr' || exactFloats;
      const mask = at === 'flags' ? 0x8d5n & ~ignored : isCompared ? -1n : 0n;
      told(at, value & mask, (found.get(at) ?? 0n) & mask);
    }
    evaluated.memory.forEach(({ address, bytes }, i) => {
      const other = actual.memory[i]?.bytes;
      const at = bytes.findIndex((byte, j) => byte !== other?.[j]);
      if (at >= 0)
        told(`[0x${(address + BigInt(at)).toString(16)}]`, bytes[at] ?? 0, other?.[at] ?? -1);
    });
    return wrong;
  }

  /** Leaves items out as long as the three still differ. */
  async #report(kind: Kind, prepared: Prepared, differences: string[]): Promise<string> {
    const { seed } = prepared;
    let shortest = prepared.program;
    let last = differences;
    for (let size = 8; size >= 1; size = size >> 1) {
      for (let i = shortest.items.length - size; i >= 0; i--) {
        const items = shortest.items.filter(
          (item, j) => j < i || j >= i + size || item.kind === 'label',
        );
        if (items.length === shortest.items.length) continue;
        const found = await this.#tryOut({ ...shortest, items }, seed);
        if (found.length === 0) continue;
        shortest = { ...shortest, items };
        last = found;
      }
    }
    return [
      `SEED=${seed} (${kind}, ${this.#mode}-bit)${prepared.exactFloats ? ', floats exact' : ''}`,
      ...(last === differences ? [] : differences.slice(0, 4)),
      'shortest:',
      ...last.slice(0, 8),
      listing(shortest),
      `  polls ${shortest.polls}, entries ${shortest.entries.join(' ')}`,
    ].join('\n');
  }

  async #tryOut(program: Program, seed: number): Promise<string[]> {
    const prepared = this.#prepare(program, seed);
    if (prepared === undefined) return [];
    // What was left out may have been a loop's end.
    const short = { ...prepared, asked: { ...prepared.asked, steps: 20_000 } };
    const [found] = await this.#differences([short]).catch(() => []);
    return found ?? [];
  }
}

type Answer = Awaited<ReturnType<CpuOracle['run']>>[number];

const endedOf = ({ state, memory, exception }: Answer): Ended => ({
  state,
  memory,
  vector: exception?.vector ?? -1,
  address: exception?.vector === 14 ? exception.address : 0n,
});
