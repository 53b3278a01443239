/** The syntax of cfg files, as xl.cfg(5) has it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../../runtime/errors.ts';
import { type CfgValue, parseCfg } from '../../../toolchain/cli/xl-cfg.ts';
import { assertRefused } from '../../support/assert-refused.ts';
import { freshSeed, random } from '../../support/random.ts';

const cfg = suite('toolchain/cli/xl-cfg');

const plain = (value: CfgValue): unknown =>
  value.kind === 'text' ? value.text : value.values.map(plain);

const parse = (text: string, added: readonly string[] = []): unknown =>
  Object.fromEntries(
    [...parseCfg(text, 'guest.cfg', added)].map(([key, { value }]) => [key, plain(value)]),
  );

cfg('strings have either quotes, numbers are as C writes them', () => {
  assert.equal(
    parse(`name = "guest"\nkernel='/boot/a b'\nmemory=64\nx=0x1fF\ny=0777\n`.replace('fF', 'ff')),
    {
      ...{ name: 'guest', kernel: '/boot/a b', memory: '64', x: '0x1ff', y: '0777' },
    },
  );
});

cfg('lists may be nested, go over lines, and have a comma at their end', () => {
  const text = `
    disk = [ # the disks
      'phy:/dev/a,xvda,w',  # first

      "/b,raw,xvdb,ro",
    ]
    empty = []
    lines = [

    ]
    nested = [[1,2],
      [ "x" ]
    ]`;

  assert.equal(parse(text), {
    ...{ disk: ['phy:/dev/a,xvda,w', '/b,raw,xvdb,ro'], empty: [], lines: [] },
    nested: [['1', '2'], ['x']],
  });
});

cfg('comments, empty lines, semicolons, and no newline at the end', () => {
  assert.equal(parse('# only this'), {});
  assert.equal(parse(''), {});
  assert.equal(parse('\n;;\na=1;b="#;"; # c=2\r\nd=4'), { a: '1', b: '#;', d: '4' });
});

cfg('strings have the escapes of C', () => {
  assert.equal(parse(String.raw`a="\"\'\\\n\t\x41\101" ; b='it\'s'`), {
    a: '"\'\\\n\tAA',
    b: "it's",
  });
});

cfg('the last setting of a key counts, and += adds to it', () => {
  assert.equal(parse('a=1\na=2\nb="x"\nb+="y"\nc=["1"]\nc+=["2","3"]\nd+="new"'), {
    ...{ a: '2', b: 'xy', c: ['1', '2', '3'], d: 'new' },
  });
});

cfg('what a command line adds comes behind the file', () => {
  assert.equal(parse('memory=64\nextra="a"', ['memory=128', 'extra+=" b"', 'disk=["x"]']), {
    ...{ memory: '128', extra: 'a b', disk: ['x'] },
  });
});

cfg('each setting knows its line and column', () => {
  const settings = parseCfg('\na=1\n\nb=[\n"x"\n]\n', 'guest.cfg', ['c=3']);

  const places = [...settings].map(([key, { place }]) => [key, place]);
  assert.equal(places, [
    ['a', 'guest.cfg:2:1'],
    ['b', 'guest.cfg:4:1'],
    ['c', 'c=3'],
  ]);
  const list = settings.get('b')?.value;
  assert.is(list?.kind === 'list' ? list.values[0]?.place : undefined, 'guest.cfg:5:1');
});

cfg('what is no cfg is told with its line and column', async () => {
  const python = /^guest\.cfg:2:\d+: Python is not understood/;
  const wrong: readonly (readonly [string, string | RegExp])[] = [
    ['\nimport os', 'guest.cfg:2:8: expected = behind import, at ‘os’'],
    ['\nmemory = 64*2', python],
    ['\nmemory = -1', python],
    ['\nkernel = "/boot/" + name', python],
    ['\nkernel = os.path', python],
    ['\nvif = True', python],
    ['\npae = true', /^guest\.cfg:2:7: Python is not understood; expected a number, .*‘true’$/],
    ['\ndisk = ("a", "b")', python],
    ['\ndisk = { "a": 1 }', python],
    ['\nName = "x"', python],
    ['\nextra = """a"""', 'guest.cfg:2:9: xl knows no strings in triple quotes'],
    ["\nextra = '''a\nb'''", 'guest.cfg:2:9: xl knows no strings in triple quotes'],
    ['\nextra = "a\nb"', 'guest.cfg:2:9: a string without its closing "'],
    ['\nextra = "a\\q"', 'guest.cfg:2:9: no escape \\q in a string'],
    ['\nextra = "a\\x1"', 'guest.cfg:2:9: no escape \\x in a string'],
    ['\nextra =', 'guest.cfg:2:8: expected a number, a string in quotes, or a list, at the end'],
    [
      '\nextra =\n"a"',
      'guest.cfg:2:8: expected a number, a string in quotes, or a list, at the end of the line',
    ],
    ['\na = [1 2]', 'guest.cfg:2:8: expected , or ] in a list, at ‘2’'],
    ['\na = [\n1,\n2', 'guest.cfg:4:2: expected , or ] in a list, at the end'],
    ['\na = [,]', /^guest\.cfg:2:6: expected a number/],
    ['\na = 1 b = 2', 'guest.cfg:2:7: expected KEY=VALUE, at ‘b’'],
    ['\n= 1', 'guest.cfg:2:1: expected KEY=VALUE, at ‘=’'],
    ['\na', 'guest.cfg:2:2: expected = behind a, at the end'],
    ['\na = @', 'guest.cfg:2:5: what is "@"?'],
    ['a=1\na+=["x"]', 'guest.cfg:2:1: += adds lists to lists and strings to strings'],
  ];
  for (const [text, message] of wrong) await assertRefused(() => parse(text), message);
  await assertRefused(() => parse('', ['name=x']), /^name=x: Python is not understood/);
});

cfg('whatever a file holds, it is parsed or refused', () => {
  const seed = freshSeed();
  const r = random(seed);
  const pieces = [
    'a',
    'disk',
    '=',
    '+=',
    '[',
    ']',
    ',',
    ';',
    '\n',
    ' ',
    '#',
    '"',
    "'",
    '\\',
    '1',
    '0x',
    "'x'",
    '"y"',
    'é',
    '\0',
    '(',
  ];
  for (let n = 0; n < 20_000; n++) {
    const text = Array.from({ length: r.below(20) }, () => pieces[r.below(pieces.length)]).join('');
    try {
      parseCfg(text, 'f');
    } catch (error) {
      assert.instance(error, UserError, `seed ${seed}: ${JSON.stringify(text)}`);
      assert.match((error as Error).message, /^f:\d+:\d+: /);
    }
  }
});

cfg.run();
