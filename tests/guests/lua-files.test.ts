/** Lua's stand-alone interpreter, unchanged: its io and os libraries on a folder of the host, and its prompt on the console. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MountedFolder } from '../../runtime/index.ts';
import { fetchDebianSource, type Width } from '../../toolchain/index.ts';
import { withExportedFolder } from '../support/exported-folder.ts';
import { isFull, type Program, testFile, Workbench } from '../support/program.ts';

const lua = suite<{ bench: Workbench; tree: string }>('guests/lua-files');

lua.before(async (context) => {
  context.bench = new Workbench();
  context.tree = join(await fetchDebianSource('lua5.4'), 'src');
});
lua.after(({ bench }) => bench.remove());

/** All of Lua but its compiler's own command. */
const interpreter = (tree: string): Program => ({
  files: readdirSync(tree)
    .filter((file) => file.endsWith('.c') && file !== 'luac.c')
    .map((file) => join(tree, file)),
  options: [isFull ? '-O2' : '-O1'],
});

const script = readFileSync(testFile('guests/lua/files.lua'));

for (const width of isFull ? ([64, 32] as const) : ([64] as const)) {
  lua(`x86-${width}: io and os do on a folder what they do natively`, async ({ bench, tree }) => {
    const program = interpreter(tree);
    const native = await withExportedFolder((directory) =>
      bench.runNative(program, width, { arguments: ['-', directory], input: script }),
    );

    await withExportedFolder(async (directory, folders) => {
      const words = ['-', '/export'];
      const guest = await bench.runGuest(program, width, {
        arguments: words,
        input: script,
        folders,
      });

      assert.is(guest.output.toString('latin1'), native.output.toString('latin1'));
      assert.equal([guest.status, native.status], [7, 7]);
      assert.equal(readdirSync(directory), []);
    });
  });

  lua(
    `x86-${width}: a script and a module of the folder are run by their names`,
    async (context) => {
      await withExportedFolder(async (directory, folders) => {
        writeFileSync(
          join(directory, 'greet.lua'),
          'return { to = function(x) return "hi " .. x end }',
        );
        writeFileSync(
          join(directory, 'main.lua'),
          '#!/usr/bin/lua\nprint(require("greet").to(arg[1]), arg[0], #arg)\nerror("as wished")',
        );
        const words = ['-e', 'package.path="/export/?.lua"', '/export/main.lua', 'you', 'there'];

        const guest = await context.bench.runGuest(interpreter(context.tree), width, {
          ...{ arguments: words, folders },
        });

        const [first, second] = guest.output.toString().split('\n');
        assert.is(first, 'hi you\t/export/main.lua\t2');
        assert.match(second ?? '', /guest\.elf: \/export\/main\.lua:3: as wished$/);
        assert.is(guest.status, 1);
      });
    },
  );

  lua(
    `x86-${width}: the prompt reads, prints, goes on behind errors, and ends`,
    async (context) => {
      await withExportedFolder(async (directory, folders) => {
        await converse(context, width, folders);

        assert.is(readFileSync(join(directory, 'written'), 'utf8'), 'from the prompt');
      });
    },
  );
}

async function converse(
  { bench, tree }: { bench: Workbench; tree: string },
  width: Width,
  folders: readonly MountedFolder[],
): Promise<void> {
  const { console, exited } = await bench.bootGuest(interpreter(tree), width, ['-i'], { folders });
  const say = async (line: string, answer: string | RegExp): Promise<void> => {
    console.write(`${line}\n`);
    await console.expect(answer);
  };

  await console.expect(/Lua 5\.4[\s\S]*\n> /);
  await say('1 + 1', '2\n> ');
  await say('for i = 1, 3 do', '>> ');
  await say('io.write(i, ";") end', '1;2;3;');
  await say('error("as wished")', /stdin:1: as wished\n[\s\S]*> /);
  await say('f = io.open("/export/written", "w")', '> ');
  await say('f:write("from the prompt"):close()', 'true\n> ');
  await say('io.read()', '');
  await say('what is read', 'what is read\n> ');
  await say('io.popen("ls")', /not supported[\s\S]*> /);
  console.write('os.exit(3)\n');

  assert.is((await exited).status, 3);
}

lua.run();
