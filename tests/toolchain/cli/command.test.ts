import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../../runtime/errors.ts';
import { type Command, helpText, parseWords } from '../../../toolchain/cli/command.ts';

const commands = suite('toolchain/cli/command');

const example: Command = {
  name: 'example',
  summary: 'Does nothing.',
  usage: 'example [--memory SIZE] IMAGE',
  options: {
    memory: { type: 'string', default: '32M', help: 'guest memory' },
    env: { type: 'string', multiple: true, help: 'NAME=VALUE' },
    quiet: { type: 'boolean', short: 'q', help: 'say less' },
  },
  run: async () => 0,
};

commands('words after -- are the guest’s, whatever they look like', () => {
  const { words, options } = parseWords(example, ['-q', 'a.elf', '--', '--memory', '1M']);

  assert.equal(words, ['a.elf', '--memory', '1M']);
  assert.is(options.text('memory'), '32M');
  assert.ok(options.flag('quiet'));
});

commands('an option may be given several times where the table says so', () => {
  const { options } = parseWords(example, ['--env', 'A=1', '--env=B=2']);

  assert.equal(options.list('env'), ['A=1', 'B=2']);
  assert.equal(parseWords(example, []).options.list('env'), []);
});

commands('an unknown option is wrong usage', () => {
  try {
    parseWords(example, ['--nope']);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, UserError);
    assert.is((error as UserError).status, 2);
    assert.is((error as UserError).message, "example: Unknown option '--nope'");
  }
});

commands('the help lists the options with what they are without being given', () => {
  assert.is(
    helpText(example),
    `stubdom example [--memory SIZE] IMAGE

Does nothing.

  --memory     guest memory (32M)
  --env        NAME=VALUE
  -q, --quiet  say less
`,
  );
});

commands.run();
