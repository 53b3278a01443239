/** A station that is Linux itself: a shell command in a network of its own, at the end of one of our cables. */
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Link } from '../../runtime/network/frame.ts';
import { complete } from '../../runtime/network/offload.ts';
import { fetchDebianPackage } from '../../toolchain/debian/packages.ts';
import { runProcess } from '../../toolchain/process.ts';
import { projectDirectory } from './source-files.ts';

export interface Tap {
  /** Runs a command at the end of that cable; what it printed, errors included. */
  run(link: Link, command: string): Promise<{ readonly status: number; readonly output: string }>;
  /** Path of busybox: udhcpc, ip, ping, tftp, nc and wget. */
  readonly busybox: string;
}

const REFUSED = 77;

/** A reason where this machine does not let us have one. */
export async function openTap(): Promise<Tap | string> {
  const program = join(mkdtempSync(join(tmpdir(), 'stubdom-tap-')), 'tap');
  const source = join(projectDirectory, 'tests/support/tap.c');
  const compiled = await runProcess('gcc', ['-O1', '-Wall', '-o', program, source]);
  if (compiled.status !== 0) throw new Error(compiled.stderr);
  const busybox = join(await fetchDebianPackage('busybox'), 'bin/busybox');
  const run: Tap['run'] = (link, command) => runAt(program, link, command);
  const { status, output } = await run({ send: () => {}, listen: () => {} }, 'true');
  return status === REFUSED ? output.trim() : { run, busybox };
}

async function runAt(program: string, link: Link, command: string): ReturnType<Tap['run']> {
  const child = spawn(program, [command], { stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'] });
  const [, stdout, stderr, into, out] = child.stdio;
  const output: Uint8Array[] = [];
  for (const stream of [stdout, stderr])
    stream?.on('data', (bytes: Uint8Array) => output.push(bytes));
  connect(link, into as Writable, out as Readable);
  const status = await new Promise<number>((resolve) =>
    child.once('close', (code) => resolve(code ?? -1)),
  );
  link.listen(() => {});
  return { status, output: Buffer.concat(output).toString() };
}

function connect(link: Link, into: Writable, out: Readable): void {
  into.on('error', () => {});
  link.listen((frame) => {
    for (const bytes of complete(frame)) {
      into.write(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff));
      into.write(bytes);
    }
  });
  let rest = Buffer.alloc(0);
  out.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes]);
    let at = 0;
    while (rest.length - at >= 2 && rest.length - at >= 2 + rest.readUInt16BE(at)) {
      const length = rest.readUInt16BE(at);
      link.send({ bytes: Uint8Array.from(rest.subarray(at + 2, at + 2 + length)) });
      at += 2 + length;
    }
    rest = rest.subarray(at);
  });
}
