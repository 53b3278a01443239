/**
 * GRUB 2 for Xen as Debian builds it: what it prints, and which hypercalls it makes in which order, are those that were seen
 * on Xen 4.17 (x86-64 by xentrace; of x86-32, which only runs in a shim there, the order is compared with that).
 */
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boot, type Ending } from '../../runtime/index.ts';
import type { Width } from '../../runtime/memory/layout.ts';
import { makeGrub } from '../support/grub.ts';

const grub = suite('guests/grub');

/** What real Xen's console shows of the image below. */
const printed = '\x1b[30m\x1b[47mWelcome to GRUB!\n\r\n\r\x1b[37m\x1b[40mhello from grub\n\r';
/** Its hypercalls there, runs of one kind collapsed, with 64 MiB of memory. */
const calls = [
  ['grant_table_op.set_version', 1],
  ['grant_table_op.setup_table', 1],
  ['mmu_update', 1],
  ['update_va_mapping', 37],
  ['mmuext_op', 1],
  ['update_va_mapping', 7],
  ['event_channel_op.send', 0],
  ['sched_op.shutdown', 1],
] as const;

interface Run {
  readonly ending: Ending;
  readonly text: string;
  readonly calls: readonly (readonly [name: string, count: number])[];
  readonly errors: readonly string[];
}

async function run(image: Uint8Array): Promise<Run> {
  const traced: string[] = [];
  const errors: string[] = [];
  const domain = await boot(image, {
    ...{ name: 'grub', memory: 64 * 2 ** 20 },
    trace: ({ kind, text }) => {
      if (kind === 'hypercall') traced.push(text);
    },
    log: (line) => errors.push(line),
  });
  const ending = await domain.exited;
  return { ending, text: domain.console.text, calls: collapse(traced), errors };
}

/** Names in their order, without the arguments; yields and sends tell only how long something took. */
function collapse(traced: readonly string[]): [string, number][] {
  const runs: [string, number][] = [];
  for (const text of traced) {
    const [name = ''] = text.split(/[ (]/, 1);
    const last = runs.at(-1);
    if (name === 'sched_op.yield') continue;
    if (last?.[0] === name) last[1]++;
    else runs.push([name, 1]);
  }
  return runs.map(([name, count]) => [name, name === 'event_channel_op.send' ? 0 : count]);
}

const commands = 'echo hello from grub\nhalt\n';
const image = (width: Width) => makeGrub(width, commands, ['echo', 'halt']);

grub('x86-64: it prints and asks what it does on Xen, and halts', async () => {
  const result = await run(await image(64));

  assert.equal(result.ending, { status: 0, reason: 'shutdown' });
  assert.is(result.text, printed);
  assert.equal(result.calls, calls);
  assert.equal(result.errors, []);
});

grub('x86-32: the same, in the same order, on PAE page tables', async () => {
  const result = await run(await image(32));

  assert.equal(result.ending, { status: 0, reason: 'shutdown' });
  assert.is(result.text, printed);
  const names = (list: readonly (readonly [string, number])[]) => list.map(([name]) => name);
  // It asks for page directories above 4 GiB first.
  assert.equal(names(result.calls), ['vm_assist', ...names(calls)]);
  assert.equal(result.errors, []);
});

grub('an image may be compressed, and reboots by its exit status', async () => {
  const plain = await makeGrub(64, 'reboot\n', ['reboot']);

  const { ending } = await run(gzipSync(plain));

  assert.equal(ending, { status: 1, reason: 'shutdown' });
});

grub.run();
