/**
 * stubdom/caml of the Xen tree, unchanged: a program in C that starts OCaml itself, sleeps a second and calls a closure by its name. Its
 * console is a terminal, as Mini-OS's on Xen: what C and OCaml print comes in the order in which they print it.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryConsole } from '../../runtime/backends/console/memory-console.ts';
import { boot } from '../../runtime/index.ts';
import { fetchDebianSource, type Width } from '../../toolchain/index.ts';
import { buildCaml } from '../../toolchain/ocaml/build.ts';
import { isFull } from '../support/program.ts';

const sample = suite<{ directory: string; source: string }>('guests/caml-sample');

sample.before(async (context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-caml-'));
  context.source = join(await fetchDebianSource('xen'), 'stubdom/caml');
});
sample.after(({ directory }) => rmSync(directory, { recursive: true }));

if (!isFull)
  process.stdout.write(
    'skipped: x86-32 is left out, since it fetches 72 MB of Debian’s; --full has it\n',
  );
const widths: readonly Width[] = isFull ? [64, 32] : [64];

for (const width of widths)
  sample(`x86-${width}: it prints what it prints on Xen`, async ({ directory, source }) => {
    const output = join(directory, `caml-${width}.elf`);
    const files = ['hello.ml', 'main-caml.c'].map((name) => join(source, name));
    const { status, messages } = await buildCaml({ width, output, arguments: files });
    assert.is(status, 0, messages);

    const console = new MemoryConsole({ isTerminal: true });
    const image = new Uint8Array(readFileSync(output));
    const { exited } = await boot(image, { console: console.guest });
    const ending = await exited;

    assert.is(
      console.text.replaceAll('\r\n', '\n'),
      'starting caml\nHello, world!\ncallback returned\n',
    );
    assert.is(ending.status, 0, ending.report);
  });

sample.run();
