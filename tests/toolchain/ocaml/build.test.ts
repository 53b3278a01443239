/** Modules, interfaces, C stubs and libraries become one image, as Debian's compilers and the machine itself would have it run. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boot } from '../../../runtime/index.ts';
import { buildCaml } from '../../../toolchain/ocaml/build.ts';
import { MapCache } from '../../support/map-cache.ts';
import { isFull } from '../../support/program.ts';

const test = suite<{ root: string }>('toolchain/ocaml/build');

test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'stubdom-ocaml-'));
});
test.after.each(({ root }) => rmSync(root, { recursive: true }));

const greeting = {
  'greet.mli': 'val greet : string -> unit\n',
  'greet.ml': `external add : int -> int -> int = "add_stub"
let greet who = Printf.printf "Hello, %s! %d\\n" who (add 40 2)
`,
  // Of the same name as a module, which must not come between them.
  'greet.c': `#include <caml/mlvalues.h>
value add_stub(value a, value b) { return Val_int(Int_val(a) + Int_val(b)); }
`,
  'main.ml': `exception Odd of int
let half n = if n land 1 = 1 then raise (Odd n) else n / 2
let () = Greet.greet "OCaml"
let () = print_endline (String.concat "+" (Str.split (Str.regexp ", *") "a,b,   c"))
let () = try ignore (half 3 + 1) with Odd n -> Printf.printf "odd: %d\\n" n
let () = Printf.printf "%.17g %Ld %nx\\n" (sqrt 2.) (Int64.neg 5L) (-1n)
let rec depth n = if n = 0 then 0 else 1 + depth (n - 1)
let () = Printf.printf "%d deep\\n" (depth 50_000)
let table = Hashtbl.create 16
let () =
  for i = 1 to 200_000 do Hashtbl.replace table (i land 0xfff) (string_of_int i) done;
  Gc.compact ();
  Printf.printf "%d entries, %s\\n" (Hashtbl.length table) (Hashtbl.find table 7)
let () = at_exit (fun () -> print_endline "at exit")
let () = ignore (half 5)
`,
};
const words = ['greet.mli', 'greet.ml', 'main.ml', 'greet.c'];

const printed = (bits: number): string => `Hello, OCaml! 42
a+b+c
odd: 3
1.4142135623730951 -5 ${'f'.repeat(bits / 4)}
50000 deep
4096 entries, 196615
at exit
Fatal error: exception Main.Odd(5)
`;

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
}

async function run(image: string): Promise<{ text: string; status: number }> {
  const { console, exited } = await boot(new Uint8Array(readFileSync(image)), {
    budget: 2_000_000_000,
  });
  console.end();
  const { status } = await exited;
  return { text: console.text, status };
}

const kinds = [
  { name: 'x86-64', width: 64, isBytecode: false },
  { name: 'x86-64 bytecode', width: 64, isBytecode: true },
  ...(isFull
    ? ([
        { name: 'x86-32', width: 32, isBytecode: false },
        { name: 'x86-32 bytecode', width: 32, isBytecode: true },
      ] as const)
    : []),
] as const;
if (!isFull)
  process.stdout.write(
    'skipped: x86-32 is left out, since it fetches 72 MB of Debian’s; --full has it\n',
  );

for (const { name, width, isBytecode } of kinds)
  test(`modules and stubs run as natively: ${name}`, async ({ root }) => {
    write(root, greeting);
    const output = join(root, 'main.elf');

    const result = await buildCaml({
      ...{ width, isBytecode, output, cwd: root, arguments: words, packages: ['str'] },
    });

    assert.is(result.status, 0, result.messages);
    assert.equal(await run(output), { text: printed(width), status: 2 });
    assert.equal(readdirSync(root).sort(), [...Object.keys(greeting), 'main.elf'].sort());
  });

test('threads wait for each other, and one that computes gives way to others', async ({ root }) => {
  write(root, {
    'main.ml': `let lock = Mutex.create () and more = Condition.create () and done_ = ref 0
let work n =
  Thread.delay 0.001;
  Mutex.lock lock;
  done_ := !done_ + n;
  Condition.signal more;
  Mutex.unlock lock
let () =
  let threads = List.init 4 (Thread.create work) in
  Mutex.lock lock;
  while !done_ < 6 do Condition.wait more lock done;
  Mutex.unlock lock;
  List.iter Thread.join threads;
  Printf.printf "%d\n%!" !done_
let goes_on = ref true
let rec compute cells = if !goes_on then compute (List.rev cells) else List.length cells
let () =
  let thread = Thread.create (fun () -> Printf.printf "%d cells\n%!" (compute [ 1; 2; 3 ])) () in
  Thread.delay 0.01;
  goes_on := false;
  Thread.join thread
`,
  });
  const output = join(root, 'main.elf');

  const result = await buildCaml({
    ...{ output, cwd: root, arguments: ['main.ml'], packages: ['threads.posix'] },
  });

  assert.is(result.status, 0, result.messages);
  assert.equal(await run(output), { text: '6\n3 cells\n', status: 0 });
});

for (const isBytecode of [false, true])
  test(`backtraces have places: ${isBytecode ? 'bytecode' : 'native'}`, async ({ root }) => {
    write(root, {
      'main.ml': `let check x = if x > 3 then failwith "too big" else x
let () =
  Printexc.record_backtrace true;
  print_int (check (4 * Array.length Sys.argv))
`,
    });
    const output = join(root, 'main.elf');

    const result = await buildCaml({
      ...{ output, isBytecode, cwd: root, arguments: ['-g', 'main.ml'] },
    });

    assert.equal(result, { status: 0, messages: '' });
    const { text, status } = await run(output);
    assert.is(status, 2);
    assert.match(
      text,
      'Fatal error: exception Failure("too big")\nRaised at Stdlib.failwith in file "stdlib.ml"',
    );
    assert.match(text, /^Called from Main in file "main.ml", line 4, characters 12-47$/m);
  });

test('bytecode programs with the same libraries run the same translations', async ({ root }) => {
  write(root, {
    'one.ml': 'let () = print_string "one"\n',
    'other.ml': `let add a b = a + b\nlet () = print_int (List.fold_left add 0 [ 1; 2; 3 ])\n`,
  });
  const cache = new MapCache();
  const texts: string[] = [];
  for (const name of ['one', 'other']) {
    const output = join(root, `${name}.elf`);
    const words = { arguments: ['-g', `${name}.ml`], isBytecode: true };
    const { status, messages } = await buildCaml({ ...words, output, cwd: root });
    assert.is(status, 0, messages);
    const domain = await boot(new Uint8Array(readFileSync(output)), { cache });
    await domain.exited;
    texts.push(domain.console.text);
  }

  assert.equal(texts, ['one', '6']);
  assert.is(cache.entries.size, 1);
  assert.is(cache.hits, 1);
});

test('the compiler’s messages name the user’s files, and there is no image', async ({ root }) => {
  write(root, { 'wrong.ml': 'let x : int = "no"\n' });

  const { status, messages } = await buildCaml({
    ...{ output: join(root, 'a.elf'), cwd: root, arguments: ['wrong.ml'] },
  });

  assert.is(status, 2);
  assert.match(messages, 'File "wrong.ml", line 1, characters 14-18:');
  assert.equal(readdirSync(root), ['wrong.ml']);
});

test('a package that is not there is said', async ({ root }) => {
  write(root, { 'a.ml': '' });

  const { status, messages } = await buildCaml({
    ...{ output: join(root, 'a.elf'), cwd: root, arguments: ['a.ml'], packages: ['nowhere'] },
  });

  assert.is(status, 2);
  assert.match(messages, "Package `nowhere' not found");
});

test.run();
