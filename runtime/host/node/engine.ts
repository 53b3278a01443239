/** V8, set up for recompiled code. */
import { setFlagsFromString } from 'node:v8';

/**
 * V8 makes a Wasm function fast once it has spent a budget, and counts the bytes of every jump back. Our functions go round
 * one large loop, so the largest spent V8's 1.8 million within a few dozen jumps: optimising them kept hello's process
 * alive for 2 s after its output, and kept hot small functions waiting (hello from the cache 2.5 s → 0.6 s of wall
 * time, a hash loop 1.9 s → 0.6 s, in one run on a loaded machine).
 */
const tieringBudget = 60_000_000;

/** Major versions of V8 up to this one have the flag; a later one would complain on stderr if it does not know it. */
const lastWithHintFlag = 13;

/**
 * Before any Wasm is compiled. Branch hints keep exits, polls and page flags out of the way: with them the word copy takes
 * 4.4 times native in place of 6.5, the bytecode interpreter 2.1 in place of 2.6 (x86-64, one run).
 */
export function prepareEngine(): void {
  if (Number.parseInt(process.versions.v8, 10) <= lastWithHintFlag)
    setFlagsFromString('--experimental-wasm-branch-hinting');
  setFlagsFromString(`--wasm-tiering-budget=${tieringBudget}`);
}
