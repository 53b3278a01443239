/** Folders in the tree of an application: programs find there what they would find on Linux, and nothing beyond. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openFolder } from '../../runtime/host/node/host-folder.ts';
import { MemoryFolder, type MountedFolder } from '../../runtime/index.ts';
import { testFile, Workbench } from '../support/program.ts';

interface Context {
  bench: Workbench;
  outside: string;
}

const folders = suite<Context>('guests/folders');

folders.before((context) => {
  context.bench = new Workbench();
});
folders.after(({ bench }) => bench.remove());
folders.before.each((context) => {
  context.outside = mkdtempSync(join(tmpdir(), 'stubdom-folders-'));
  mkdirSync(join(context.outside, 'inside'));
  writeFileSync(join(context.outside, 'secret'), 'secret');
});
folders.after.each(({ outside }) => {
  rmSync(outside, { recursive: true, force: true });
});

const program = (name: string) => ({ files: [testFile(`guests/c/${name}.c`)], options: ['-O1'] });

/** Runs with the folder of the host, which is closed afterwards. */
async function withFolder<T>(
  { outside }: Context,
  isReadOnly: boolean,
  use: (folders: readonly MountedFolder[]) => Promise<T>,
): Promise<T> {
  const folder = openFolder(join(outside, 'inside'));
  try {
    return await use([{ at: '/export', folder, isReadOnly }]);
  } finally {
    folder.close();
  }
}

for (const width of [64, 32] as const) {
  for (const name of ['directories', 'files'])
    folders(
      `x86-${width}: ${name}.c prints on a folder of the host what it prints natively`,
      async (context) => {
        const native = await context.bench.runNative(program(name), width);

        const guest = await withFolder(context, false, (mounted) =>
          context.bench.runGuest(program(name), width, {
            arguments: ['/export'],
            folders: mounted,
          }),
        );

        assert.is(guest.output.toString('latin1'), native.output.toString('latin1'));
        assert.equal(readdirSync(join(context.outside, 'inside')), []);
      },
    );

  folders(
    `x86-${width}: nothing leads out of the folder, and links lead into the guest’s own tree`,
    async (context) => {
      const inside = join(context.outside, 'inside');
      symlinkSync(context.outside, join(inside, 'absolute'));
      symlinkSync('../secret', join(inside, 'relative'));
      symlinkSync('/export/own', join(inside, 'to-own'));
      writeFileSync(join(inside, 'own'), 'own');

      const guest = await withFolder(context, false, (mounted) =>
        context.bench.runGuest(program('escape'), width, {
          ...{ arguments: [context.outside], folders: mounted },
        }),
      );

      assert.is(guest.output.toString(), readFileSync(testFile('guests/c/escape.txt'), 'utf8'));
    },
  );

  folders(`x86-${width}: a folder that is only read refuses every change`, async (context) => {
    const inside = join(context.outside, 'inside');
    writeFileSync(join(inside, 'own'), 'own');
    mkdirSync(join(inside, 'd'));

    const guest = await withFolder(context, true, (mounted) =>
      context.bench.runGuest(program('read-only'), width, { folders: mounted }),
    );

    const lines = guest.output.toString().trim().split('\n');
    assert.ok(lines.length > 10);
    assert.equal(
      lines.filter((line) => !/: EROFS$|^done$/.test(line)),
      [],
    );
    assert.equal(readdirSync(inside).sort(), ['d', 'own']);
  });

  folders(
    `x86-${width}: two folders: what crosses them is EXDEV, and a place of one stays`,
    async ({ bench }) => {
      const folder = (): MemoryFolder => new MemoryFolder(() => 1n);
      const mounted = ['/a', '/a/b'].map((at) => ({ at, folder: folder(), isReadOnly: false }));

      const guest = await bench.runGuest(program('two-folders'), width, { folders: mounted });

      assert.is(
        guest.output.toString(),
        readFileSync(testFile('guests/c/two-folders.txt'), 'utf8'),
      );
    },
  );
}

folders.run();
