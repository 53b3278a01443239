/** What the compiler and the linter cannot hold: the direction of imports, who may import what, which files have tests. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runProcess } from '../toolchain/process.ts';
import {
  importsOf,
  projectDirectory,
  type SourceFile,
  sourceFiles,
} from './support/source-files.ts';

const architecture = suite('architecture');

/** Imports point down this list; layers in one row do not import each other. */
// biome-ignore format: one row a level
const layers: readonly (readonly string[])[] = [
  ['toolchain'],
  ['runtime/index.ts'],
  ['runtime/machine.ts'],
  ['runtime/boot-domain.ts', 'runtime/boot-application.ts'],
  ['runtime/domain-devices.ts', 'runtime/machine-world.ts'],
  ['runtime/host'],
  ['runtime/minios', 'runtime/xen'],
  ['runtime/backends'],
  ['runtime/display'],
  ['runtime/network'],
  ['runtime/xenstore'],
  ['runtime/domain'],
  ['runtime/cpu'],
  ['runtime/recompiler'],
  ['runtime/x86'],
  ['runtime/abi'],
  ['runtime/ir'],
  ['runtime/elf'],
  ['runtime/memory'],
  ['runtime/trace.ts'],
  ['runtime/errors.ts'],
];

/** Packages of the runtime, and the one place each is reached from. */
const gates: Readonly<Record<string, string>> = {
  'node:': 'runtime/host/node/',
  elfinfo: 'runtime/elf/image.ts',
  '#iced': 'runtime/x86/decode.ts',
  'iced-x86': 'runtime/x86/iced.ts',
  'fast-png': 'runtime/display/screenshot.ts',
  binaryen: 'runtime/recompiler/emit/binaryen-emitter.ts',
};

/** The test that proves files without a test of their own. What gets its own comes off the list. */
const provedElsewhere: Readonly<Record<string, readonly string[]>> = {
  // Every row and op, against vectors of a real CPU: evaluated, and as Wasm.
  'tests/runtime/x86/instructions.test.ts': [
    'runtime/x86/instructions/',
    'runtime/x86/',
    'runtime/ir/builder.ts',
    'runtime/ir/evaluate-integer.ts',
    'runtime/ir/evaluate-rule.ts',
    'runtime/ir/evaluate-vector.ts',
    'runtime/ir/ops.ts',
  ],
  'tests/runtime/recompiler/vectors.test.ts': ['runtime/recompiler/'],
  // What a guest sees of them.
  'tests/runtime/machine.test.ts': [
    'runtime/cpu/evaluate-instruction.ts',
    'runtime/cpu/vcpu-tables.ts',
    'runtime/boot-application.ts',
    'runtime/host/node/iced.ts',
    'runtime/minios/start.ts',
  ],
  'tests/runtime/memory/page-tables.test.ts': ['runtime/memory/table-builder.ts'],
  // From C.
  'tests/guests/memory.test.ts': [
    'runtime/minios/kernel/mappings.ts',
    'runtime/minios/paged-space.ts',
    'runtime/minios/rows/mappings.ts',
  ],
  'tests/guests/store.test.ts': ['runtime/minios/kernel/store.ts', 'runtime/minios/rows/store.ts'],
  'tests/guests/events.test.ts': [
    'runtime/minios/kernel/events.ts',
    'runtime/minios/kernel/grants.ts',
    'runtime/minios/kernel/pages.ts',
    'runtime/minios/kernel/ports.ts',
    'runtime/minios/row.ts',
    'runtime/minios/rows/events.ts',
    'runtime/minios/rows/grants.ts',
    'runtime/minios/rows/memory.ts',
  ],
  'tests/runtime/cpu/fault-report.test.ts': ['runtime/cpu/backtrace.ts'],
  'tests/runtime/cpu/vcpu-faults.test.ts': [
    'runtime/cpu/access-exception.ts',
    'runtime/cpu/exception-leave.ts',
  ],
  'tests/runtime/cpu/vcpu.test.ts': ['runtime/cpu/hot-loops.ts', 'runtime/cpu/reset.ts'],
  'tests/runtime/cpu/translations.test.ts': ['runtime/cpu/translation-tools.ts'],
  'tests/runtime/cpu/vcpu-flags.test.ts': ['runtime/cpu/flags-code.ts'],
  'tests/runtime/cpu/vcpu-system.test.ts': ['runtime/cpu/environment.ts'],
  'tests/runtime/cpu/system-instruction.test.ts': ['runtime/cpu/system-context.ts'],
  'tests/runtime/minios/kernel/mini-os.test.ts': [
    'runtime/minios/kernel/host-calls.ts',
    'runtime/minios/kernel/kernel-clocks.ts',
    'runtime/minios/kernel/park.ts',
  ],
  'tests/runtime/minios/loader.test.ts': ['runtime/minios/kernel/address-map.ts'],
  'tests/runtime/minios/posix/posix.test.ts': [
    'runtime/minios/abi/posix.ts',
    'runtime/minios/errno.ts',
    'runtime/minios/posix/console-file.ts',
    'runtime/minios/posix/descriptors.ts',
    'runtime/minios/posix/open-file.ts',
  ],
  // Called from C, and compared with what Linux answers.
  'tests/guests/c.test.ts': [
    'runtime/minios/rows/posix.ts',
    'runtime/minios/posix/devices.ts',
    'runtime/minios/posix/mounts.ts',
    'runtime/minios/posix/names.ts',
    'runtime/minios/posix/opening.ts',
    'runtime/minios/posix/pipe.ts',
    'runtime/minios/posix/tree-file.ts',
    'runtime/minios/posix/tree.ts',
  ],
  'tests/runtime/backends/folder/memory-folder.test.ts': [
    'runtime/backends/folder/folder.ts',
    'runtime/backends/folder/memory-nodes.ts',
  ],
  'tests/runtime/host/node/host-folder.test.ts': ['runtime/host/node/host-file.ts'],
  'tests/runtime/minios/posix/line-discipline.test.ts': ['runtime/minios/abi/termios.ts'],
  'tests/runtime/abi/physdev.test.ts': ['runtime/abi/control.ts'],
  'tests/runtime/xen/hypercalls/hvm-op.test.ts': ['runtime/abi/hvm-op.ts'],
  'tests/runtime/xen/grants/grant-table-op.test.ts': [
    'runtime/xen/grants/grant-cache-flush.ts',
    'runtime/xen/grants/grant-copy.ts',
    'runtime/xen/grants/grant-error.ts',
    'runtime/xen/grants/grant-mappings.ts',
    'runtime/xen/grants/grant-setup.ts',
    'runtime/xen/grants/grant-transfer.ts',
    'runtime/xen/grants/held-frame.ts',
  ],
  // Linux at the end of our cable: its TCP, its DHCP client, its tools.
  'tests/runtime/network/user-network.test.ts': [
    'runtime/host/node/host-sockets.ts',
    'runtime/network/addresses.ts',
    'runtime/network/arp.ts',
    'runtime/network/checksum.ts',
    'runtime/network/dhcp-server.ts',
    'runtime/network/frame.ts',
    'runtime/network/icmp.ts',
    'runtime/network/ipv4.ts',
    'runtime/network/tcp/segment.ts',
    'runtime/network/tcp/send-queue.ts',
    'runtime/network/tcp/tcp-relay.ts',
    'runtime/network/tftp-server.ts',
    'runtime/network/udp-relay.ts',
    'runtime/network/udp.ts',
  ],
  'tests/runtime/backends/net/net-backend.test.ts': [
    'runtime/backends/net/receiver.ts',
    'runtime/backends/net/transmitter.ts',
    'runtime/network/offload.ts',
  ],
  // A real VNC viewer looks, and keys are pressed.
  'tests/guests/pv-fb.test.ts': [
    'runtime/backends/event-page.ts',
    'runtime/backends/fb/fb-device.ts',
    'runtime/backends/kbd/kbd-device.ts',
    'runtime/display/rfb-server.ts',
    'runtime/display/rfb-session.ts',
    'runtime/display/screen.ts',
    'runtime/display/screenshot.ts',
    'runtime/domain-devices.ts',
    'runtime/xen/host-frames.ts',
    'toolchain/cli/open-display.ts',
  ],
  'tests/guests/pv-net.test.ts': [
    'runtime/backends/net/frame-text.ts',
    'runtime/backends/net/net-device.ts',
  ],
  'tests/runtime/domain/domain.test.ts': ['runtime/domain/clock.ts', 'runtime/domain/signal.ts'],
  'tests/runtime/backends/console/memory-console.test.ts': [
    'runtime/backends/console/byte-queue.ts',
  ],
  // Booted, printing, and compared with what real Xen showed.
  'tests/guests/grub.test.ts': [
    'runtime/boot-domain.ts',
    'runtime/elf/unpack.ts',
    'runtime/xen/guest-array.ts',
    'runtime/xen/guest-code.ts',
    'runtime/xen/guest-space.ts',
    'runtime/xen/hypercalls/hypercall-table.ts',
    'runtime/xen/mmu/mmu-calls.ts',
    'runtime/xen/pv-domain.ts',
    'runtime/xen/pv-environment.ts',
    'runtime/xen/pv-kernel.ts',
    'runtime/xen/traps/trap-calls.ts',
    'runtime/xen/traps/xen-cpuid.ts',
  ],
  // Recorded on real Xen, too.
  'tests/guests/pv.test.ts': [
    'runtime/cpu/supervisor.ts',
    'runtime/x86/task-switched.ts',
    'runtime/xen/mmu/linear-tables.ts',
    'runtime/xen/traps/callbacks.ts',
    'runtime/xen/traps/iret.ts',
  ],
  'tests/runtime/xen/mmu/mmu.test.ts': ['runtime/xen/mmu/', 'runtime/xen/guest-error.ts'],
  'tests/runtime/xen/builder/build-domain.test.ts': [
    'runtime/xen/builder/hypercall-page.ts',
    'runtime/xen/builder/initial-tables.ts',
  ],
  'tests/runtime/xen/memory/memory-op.test.ts': ['runtime/xen/memory/'],
  'tests/runtime/xen/traps/bounce.test.ts': ['runtime/xen/pv-cpu.ts'],
  'tests/runtime/xen/hypercalls/hypercall.test.ts': ['runtime/xen/virtual-cpu.ts'],
  'tests/runtime/xenstore/client.test.ts': [
    'runtime/xenstore/domains.ts',
    'runtime/xenstore/node.ts',
    'runtime/xenstore/operations.ts',
    'runtime/xenstore/quotas.ts',
    'runtime/xenstore/store.ts',
    'runtime/xenstore/trace-line.ts',
    'runtime/xenstore/watches.ts',
  ],
  'tests/runtime/xenstore/ring-session.test.ts': ['runtime/xenstore/ring-page.ts'],
  'tests/runtime/backends/block/block-backend.test.ts': [
    'runtime/backends/block/protocol.ts',
    'runtime/backends/block/request-text.ts',
    'runtime/backends/block/transfer.ts',
  ],
  'tests/runtime/elf/image.test.ts': ['runtime/elf/image-file.ts'],
  'tests/toolchain/cli/commands/run.test.ts': ['toolchain/cli/run-image.ts'],
  'tests/toolchain/cli/main.test.ts': ['runtime/errors.ts'],
  'tests/toolchain/cli/trace-option.test.ts': ['runtime/trace.ts'],
  'tests/toolchain/c/build.test.ts': ['toolchain/c/flags.ts', 'toolchain/c/width.ts'],
  'tests/toolchain/c/sysroot.test.ts': ['toolchain/c/newlib.ts'],
};

const product = sourceFiles('runtime', 'toolchain').filter(({ path }) => !path.endsWith('.d.ts'));
const tests = sourceFiles('tests');

const isIn = (path: string, place: string): boolean =>
  path === place || path.startsWith(`${place}/`);

const layerOf = (path: string): number =>
  layers.findIndex((row) => row.some((place) => isIn(path, place)));

const placeOf = (path: string): string | undefined =>
  layers.flat().find((place) => isIn(path, place));

/** One line for each finding, so that a failure names them all. */
const none = (findings: readonly string[]): void => assert.equal(findings, []);

architecture('every file lies in a layer', () => {
  none(product.filter(({ path }) => layerOf(path) < 0).map(({ path }) => path));
});

architecture('imports point down the list of layers', () => {
  const against = product.flatMap((file) =>
    importsOf(file)
      .filter(({ target }) => target.startsWith('runtime/') || target.startsWith('toolchain/'))
      .filter(
        ({ target }) =>
          placeOf(target) !== placeOf(file.path) && layerOf(target) <= layerOf(file.path),
      )
      .map(({ target }) => `${file.path} imports ${target}`),
  );

  none(against);
});

architecture('the runtime reaches node and each package through one place', () => {
  const runtime = product.filter(({ path }) => path.startsWith('runtime/'));
  const outside = runtime.flatMap((file) =>
    importsOf(file)
      .filter(({ target }) => !target.startsWith('runtime/'))
      .filter(({ target }) => !mayImport(file, target))
      .map(({ target }) => `${file.path} imports ${target}`),
  );

  none(outside);
});

function mayImport({ path }: SourceFile, target: string): boolean {
  const gate = Object.keys(gates).find(
    (name) => target === name || target.startsWith(name.endsWith(':') ? name : `${name}/`),
  );
  return gate !== undefined && path.startsWith(gates[gate] ?? '?');
}

architecture('binaryen is loaded only when code is translated', () => {
  const file = product.find(({ path }) => path === gates['binaryen']);
  const eager = file?.text.match(/^import (?!type).*'binaryen'/gm) ?? [];

  assert.ok(file);
  none(eager);
});

architecture('nothing but the tests imports the tests', () => {
  none(
    product.flatMap((file) =>
      importsOf(file)
        .filter(({ target }) => target.startsWith('tests/'))
        .map(({ target }) => `${file.path} imports ${target}`),
    ),
  );
});

architecture('every file with behaviour has a test, its own or one that is named here', () => {
  const places = Object.values(provedElsewhere).flat();
  const without = product
    .filter(hasBehaviour)
    .map(({ path }) => path)
    .filter((path) => !isThere(mirrorOf(path)));
  const untested = without.filter((path) => !places.some((place) => path.startsWith(place)));
  const idle = places.filter((place) => !without.some((path) => path.startsWith(place)));
  const missing = Object.keys(provedElsewhere).filter((path) => !isThere(path));

  none(untested.map((path) => `${path} has no ${mirrorOf(path)}`));
  none(idle.map((place) => `${place} needs no other test: take it off provedElsewhere`));
  none(missing.map((path) => `${path}: no such test`));
});

const isThere = (path: string): boolean => existsSync(join(projectDirectory, path));

/** More than types, and more than names passed on from elsewhere. */
const hasBehaviour = ({ text }: SourceFile): boolean =>
  /^(export )?(async )?(function|class|const)\b/m.test(text);

const mirrorOf = (path: string): string => `tests/${path.replace(/\.ts$/, '.test.ts')}`;

architecture('every suite of a test file is run, whole, at its end', () => {
  const wrong = tests
    .filter(({ path }) => path.endsWith('.test.ts'))
    .flatMap(({ path, text }) => {
      const suites = [...text.matchAll(/^const (\w+) = suite[<(]/gm)].map(([, name]) => name ?? '');
      const idle = suites.filter((name) => !text.includes(`\n${name}.run();\n`));
      return [
        ...(suites.length === 0 ? [`${path} declares no suite`] : []),
        ...idle.map((name) => `${path} never calls ${name}.run()`),
        ...(/\.run\(\);\n$/.test(text) ? [] : [`${path} does not end with .run()`]),
        ...(/^\s*\w+\.only\(/m.test(text) ? [`${path} runs only some of its tests`] : []),
      ];
    });

  none(wrong);
});

architecture('a suite is named after its path', () => {
  const wrong = tests
    .filter(({ path }) => path.endsWith('.test.ts'))
    .filter(({ path, text }) => {
      const name = path.replace(/^tests\//, '').replace(/\.test\.ts$/, '');
      return !new RegExp(`suite(<.*>)?\\('${name}['/ ]`).test(text);
    });

  none(wrong.map(({ path }) => path));
});

/** A test file's suite says what it is about. */
architecture('every other file opens by saying what it is', () => {
  const silent = [...product, ...tests]
    .filter(({ path }) => !path.endsWith('.test.ts'))
    .filter(({ text }) => !/^(#!.*\n)?\/\*\*/.test(text));

  none(silent.map(({ path }) => path));
});

architecture('a file is at most 400 lines long', () => {
  const long = [...product, ...tests]
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > 400);

  none(long.map(({ path, lines }) => `${path}: ${lines} lines`));
});

/** tsc has run already: the tests are what it compiled. */
architecture('the linter and the formatter find nothing', async () => {
  const biome = join(projectDirectory, 'node_modules/.bin/biome');
  const { status, stdout, stderr } = await runProcess(
    biome,
    ['check', '--error-on-warnings', '.'],
    { cwd: projectDirectory },
  );

  assert.is(status, 0, `biome check:\n${stdout}${stderr}`);
});

architecture.run();
