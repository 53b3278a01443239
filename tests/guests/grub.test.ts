/**
 * GRUB 2 for Xen, Debian's own images and small ones: what it shows at each key of a session, and which hypercalls it makes in
 * which order, is what was recorded on Xen 4.17 (`npm run golden grub`). x86-32 runs only in a shim there, whose own hypercalls
 * hide the guest's: its order is compared with that of x86-64.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openDisk } from '../../runtime/host/node/file-disk.ts';
import { boot, type Ending } from '../../runtime/index.ts';
import type { Width } from '../../runtime/memory/layout.ts';
import { grubTranscript } from '../golden/record/grub.ts';
import { tracedOrder } from '../support/call-order.ts';
import { repeat } from '../support/conversation.ts';
import { makeExt2 } from '../support/ext2-image.ts';
import { makeGrub } from '../support/grub.ts';
import { type GrubSession, grubSessions, noise, sessionFiles } from '../support/grub-sessions.ts';
import { isFull } from '../support/program.ts';
import { screensOf, type Transcript } from '../support/transcript.ts';

const grub = suite<{ directory: string; disk: string; isThere: boolean }>('guests/grub');

/** A machine may be busy: milliseconds for a whole session. */
const atMost = 500_000;

grub.before(async (context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-grub-'));
  context.disk = join(context.directory, 'disk.img');
  context.isThere = await makeExt2(context.directory, context.disk, 4, sessionFiles);
});
grub.after(({ directory }) => rmSync(directory, { recursive: true, force: true }));

interface Run extends Transcript {
  /** The disk as the session left it. */
  readonly left: Uint8Array;
  readonly ending: Ending;
  readonly errors: readonly string[];
}

/** Types what was typed on Xen. */
async function run(
  session: GrubSession,
  width: Width,
  { turns }: Transcript,
  original: string,
): Promise<Run> {
  const file = `${original}-${session.name}-${width}`;
  if (session.disk) copyFileSync(original, file);
  const calls: string[] = [];
  const errors: string[] = [];
  const disk = session.disk ? await openDisk(file, 'rw') : undefined;
  const domain = await boot(await session.image(width), {
    ...{ name: 'grub', memory: 64 * 2 ** 20, log: (line) => errors.push(line) },
    ...(disk && { disks: [{ vdev: 'xvda', disk }] }),
    trace: ({ kind, text }) => {
      if (kind === 'hypercall' && !text.includes('sched_op.yield')) calls.push(text);
    },
  });
  let hasEnded = false;
  const exited = domain.exited.then((ending) => {
    hasEnded = true;
    return ending;
  });
  const { console } = domain;
  const printed = await repeat(
    { text: () => console.text, write: (text) => console.write(text), hasEnded: () => hasEnded },
    turns,
    { atMost },
  );
  domain.stop();
  const ending = await exited;
  await disk?.close();
  const repeated = printed.map((text, n) => ({ printed: text, typed: turns[n]?.typed }));
  const screens = await screensOf(repeated);
  const left = session.disk ? readFileSync(file) : new Uint8Array();
  return { turns: repeated, screens, calls: tracedOrder(calls), ending, errors, left };
}

/** How much there is of a kind in a row depends on the width: page tables are of another size. */
const kinds = (calls: readonly string[]): readonly string[] =>
  calls.map((call) => call.replace(/ (of|x).*/, ''));

/** Debian's own images take their time to be translated. */
const inShort: ReadonlySet<string> = new Set([
  ...['hello-64', 'hello-32', 'files-64', 'files-32', 'debian-64'],
]);

for (const session of grubSessions)
  for (const width of [64, 32] as const) {
    if (!isFull && !inShort.has(`${session.name}-${width}`)) continue;
    grub(`x86-${width}, ${session.name}: as on Xen`, async ({ disk, isThere }) => {
      if (session.disk && !isThere) return;
      const expected = grubTranscript(session.name, width);

      const result = await run(session, width, expected, disk);

      const { turns, screens, calls, ending, errors, left } = result;
      const last = expected.turns.length - 1;
      const whole = expected.turns.map((turn, n) =>
        n < last ? turn : { ...turn, printed: turn.printed + (session.leaves ?? '') },
      );
      assert.equal(
        screens.slice(0, last),
        expected.screens.slice(0, Math.min(last, screens.length)),
      );
      assert.equal(turns, whole);
      assert.equal(ending, { status: session.status, reason: 'shutdown' });
      const order = grubTranscript(session.callsOf ?? session.name, 64).calls;
      if (width === 64) assert.equal(calls, order);
      // It asks for page directories above 4 GiB first.
      else assert.equal(kinds(calls), ['vm_assist', ...kinds(order)]);
      assert.equal(errors, []);
      const saves = session.steps.some(({ type }) => type.startsWith('save_env'));
      assert.is(Buffer.from(left).includes('# GRUB Environment Block\ntries=one\n'), saves);
    });
  }

grub('what GRUB hashed on Xen is what the host finds', () => {
  const hash = createHash('sha256').update(noise).digest('hex');

  for (const name of ['debian', 'files']) {
    const text = grubTranscript(name, 64).turns.map(({ printed }) => printed);
    assert.ok(text.join('').includes(hash), name);
  }
});

grub('an image may be compressed', async () => {
  const plain = await makeGrub(64, 'reboot\n', ['reboot']);

  const { exited } = await boot(gzipSync(plain), { name: 'grub', memory: 64 * 2 ** 20 });

  assert.equal(await exited, { status: 1, reason: 'shutdown' });
});

grub.run();
