/** V8, set up for recompiled code. */
import { setFlagsFromString } from 'node:v8';

/**
 * V8 makes a Wasm function fast once it has spent a budget, and counts the bytes of every jump back. Our functions go round
 * one large loop, so the largest spent V8's 1.8 million within a few dozen jumps: optimising them kept hello's process
 * alive for 2 s after its output, and kept hot small functions waiting (hello from the cache 2.5 s → 0.6 s of wall
 * time, a hash loop 1.9 s → 0.6 s, in one run on a loaded machine).
 */
const tieringBudget = 60_000_000;

/**
 * What runs first is to run soon, and a start is all over before V8 has made our own code fast: each optimisation costs as much
 * as thousands of runs, on threads that take the guest's processor. So functions get V8's baseline code when they first run, and new
 * space grows at once. GRUB's start, cold: 4.1 s of processor time → 3.3.
 */
const flags = ['--always-sparkplug', '--semi-space-growth-factor=16'];

/** Functions are optimised after four times as much bytecode as by default; later versions have another flag for each tier. */
const budgetFlag = '--interrupt-budget=270336';
const withoutBudgetFlag = 12;

/** Versions of V8 before this one have the flag for branch hints; a later one would complain on stderr if it does not know it. */
const withoutHintFlag = 14;

/**
 * V8 before this version gives a function of more than 8,192 values its registers in a quick way, which spills every one of them:
 * so of all that has much in it, copies or code of its own, as printf. Without it, in one run: json 3.8 → 3.6 times native.
 */
const withoutQuickAllocator = 11.4;
const allocatorFlag = '--no-turbo-use-mid-tier-regalloc-for-huge-functions';

/**
 * Before any Wasm is compiled. Branch hints keep exits, polls and page flags out of the way: with them the word copy takes
 * 4.4 times native in place of 6.5, the bytecode interpreter 2.1 in place of 2.6 (x86-64, one run).
 */
export function prepareEngine(): void {
  const version = Number.parseFloat(process.versions.v8);
  if (version < withoutQuickAllocator) setFlagsFromString(allocatorFlag);
  if (version < withoutHintFlag) setFlagsFromString('--experimental-wasm-branch-hinting');
  if (version < withoutBudgetFlag) setFlagsFromString(budgetFlag);
  setFlagsFromString(`--wasm-tiering-budget=${tieringBudget}`);
  for (const flag of flags) setFlagsFromString(flag);
}
