/**
 * Hypercalls a second, event-channel round trips (a PV guest that sends itself an event and takes it as an upcall), and how often a
 * program of the guest's asks its kernel and goes on.
 */
import { prepareEngine } from '../../runtime/host/node/engine.ts';
import { boot } from '../../runtime/index.ts';
import type { Width } from '../../runtime/memory/layout.ts';
import { buildPvGuest } from '../support/pv-guest.ts';
import { median } from './ratios.ts';

/** Some to start with, so that what starting takes is the same in both runs and falls out. */
const fewest = 5000;

export interface PvCalls {
  readonly width: Width;
  /** A second. */
  readonly calls: number;
  readonly events: number;
  readonly programs: number;
}

export async function measurePvCalls(
  width: Width,
  { runs, rounds = 200_000 }: { readonly runs: number; readonly rounds?: number },
): Promise<PvCalls> {
  prepareEngine();
  const image = await buildPvGuest('../pv-calls', width);
  const seconds = async (what: string, count: number): Promise<number> => {
    const start = performance.now();
    const domain = await boot(image, { name: 'calls', commandLine: `${what} ${count}` });
    await domain.exited;
    const took = (performance.now() - start) / 1e3;
    if (!new RegExp(`^${count} ${what}, ${count} `).test(domain.console.text))
      throw new Error(`the guest says ${domain.console.text}`);
    return took;
  };
  const rate = async (what: string, more = rounds, least = fewest): Promise<number> => {
    const [short, long]: [number[], number[]] = [[], []];
    for (let run = 0; run < runs; run++) {
      short.push(await seconds(what, least));
      long.push(await seconds(what, least + more));
    }
    return more / Math.max(median(long) - median(short), 1e-6);
  };
  return {
    ...{ width, calls: await rate('calls'), events: await rate('events') },
    programs: await rate('programs', Math.ceil(rounds / 10), 500),
  };
}

export function pvCallsText({ width, calls, events, programs }: PvCalls): string {
  const thousands = (rate: number): string => `${Math.round(rate / 1000)},000`;
  return `x86-${width}: ${thousands(calls)} hypercalls a second, ${thousands(events)} events sent and taken as upcalls, ${thousands(programs)} requests of a program to its kernel`;
}
