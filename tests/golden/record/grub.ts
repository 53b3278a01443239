/**
 * Records what GRUB shows on real Xen (real-xen.ts), and what it asks of it, in the sessions of tests/support/grub-sessions.ts.
 * Xen's program takes `-D FILE` (a disk), `-H FILE` (hypercalls as xentrace has them), `-s COMMAND` (done when the domain has ended)
 * and `-t 0` (no limit) as well.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { Width } from '../../../runtime/memory/layout.ts';
import { recordedOrder } from '../../support/call-order.ts';
import { hold, type Talk } from '../../support/conversation.ts';
import { makeExt2 } from '../../support/ext2-image.ts';
import { type GrubSession, grubSessions, sessionFiles } from '../../support/grub-sessions.ts';
import {
  readTranscript,
  screensOf,
  type Transcript,
  writeTranscript,
} from '../../support/transcript.ts';
import { type RealXen, realXen } from './real-xen.ts';

const grubTranscripts = fileURLToPath(new URL('../../../../tests/golden/grub/', import.meta.url));

/** On a machine that is emulated and busy, for each thing that is waited for. */
const atMost = 300_000;

/**
 * What was recorded. Where x86-32 showed the same as x86-64, its file says no more than that; where it has none, it was not
 * recorded, and is held to what x86-64 showed, but for the files that GRUB looks for by the architecture's name.
 */
export function grubTranscript(name: string, width: Width): Transcript {
  if (width === 32 && !existsSync(fileOf(name, 32)))
    return readTranscript(readFileSync(fileOf(name, 64), 'utf8').replaceAll('x86_64', 'i386'));
  const text = readFileSync(fileOf(name, width), 'utf8');
  return text === asIn64 ? grubTranscript(name, 64) : readTranscript(text);
}

const fileOf = (name: string, width: Width): string =>
  join(grubTranscripts, `${name}-${width}.txt`);
const asIn64 = '== the same as on x86-64\n';

/** Done there when the domain has ended: what it printed last is still on its way to the console's end. */
const drain = 'sleep 10';

export async function recordGrub(wanted: readonly string[]): Promise<void> {
  mkdirSync(grubTranscripts, { recursive: true });
  for (const session of grubSessions)
    for (const width of [64, 32] as const) {
      const name = `${session.name}-${width}`;
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const xen = realXen(width, `grub: ${name}`);
      if (xen === undefined) continue;
      process.stdout.write(`recording ${name}\n`);
      const recorded = await recordSession(xen, session, width);
      const isSame = width === 32 && isAsIn64(recorded, session);
      writeFileSync(fileOf(session.name, width), isSame ? asIn64 : writeTranscript(recorded));
    }
}

function isAsIn64({ turns, calls }: Transcript, { name }: GrubSession): boolean {
  if (!existsSync(fileOf(name, 64))) return false;
  const wide = grubTranscript(name, 64);
  const hasSameCalls = calls.length === 0 || isDeepStrictEqual(calls, wide.calls);
  return hasSameCalls && isDeepStrictEqual(turns, wide.turns);
}

async function recordSession(
  { program, options, isShim }: RealXen,
  session: GrubSession,
  width: Width,
): Promise<Transcript> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-grub-xen-'));
  try {
    const files = await makeFiles(directory, session, width);
    const isTraced = !isShim && session.callsOf === undefined;
    const talk = new XenTalk(program, [
      ...[...options, '-t', '0', '-s', drain],
      ...(isTraced ? ['-H', files.trace] : []),
      ...(session.disk ? ['-D', files.disk] : []),
      files.image,
    ]);
    const turns = await hold(talk, session.steps, { atMost }).finally(() => talk.stop());
    if (talk.status !== session.status)
      throw new Error(`${session.name}: Xen says ${talk.status}: ${talk.errors}`);
    const calls = isTraced ? recordedOrder(readFileSync(files.trace)) : [];
    if (isTraced && calls.at(-1) !== 'sched_op.shutdown')
      throw new Error(`${session.name}: the trace is not whole: ${calls.join(', ')}`);
    return { turns, screens: await screensOf(turns), calls };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function makeFiles(directory: string, { image, disk }: GrubSession, width: Width) {
  const at = (name: string): string => join(directory, name);
  const files = { image: at('grub.bin'), disk: at('disk.img'), trace: at('calls') };
  writeFileSync(files.image, await image(width));
  if (disk && !(await makeExt2(directory, files.disk, 4, sessionFiles)))
    throw new Error('recording needs mke2fs');
  return files;
}

/** A domain's console at the ends of a process. */
class XenTalk implements Talk {
  readonly #child;
  #text = '';
  #errors = '';
  #status: number | undefined;

  constructor(program: string, words: readonly string[]) {
    this.#child = spawn(program, words, { detached: true, stdio: 'pipe' });
    this.#child.stdout.setEncoding('latin1').on('data', (text: string) => {
      this.#text += text;
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    this.#child.stdin.on('error', () => {}); // it may end before it has read all
    this.#child.once('close', (status) => {
      this.#status = status ?? 128;
    });
  }

  get status(): number | undefined {
    return this.#status;
  }

  get errors(): string {
    return this.#errors;
  }

  text(): string {
    return this.#text;
  }

  write(text: string): void {
    process.stdout.write(`  types ${JSON.stringify(text)}\n`);
    this.#child.stdin.write(text, 'latin1');
  }

  hasEnded(): boolean {
    return this.#status !== undefined;
  }

  /** With what it has started. */
  stop(): void {
    if (this.#status === undefined && this.#child.pid !== undefined)
      process.kill(-this.#child.pid, 'SIGKILL');
  }
}
