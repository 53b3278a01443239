/** Keys at a terminal, and the lines that a program reads. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryConsole } from '../../../../runtime/backends/console/memory-console.ts';
import { LineDiscipline } from '../../../../runtime/minios/posix/line-discipline.ts';

const discipline = suite('runtime/minios/posix/line-discipline');

function terminal(): {
  keys: MemoryConsole;
  lines: LineDiscipline;
  line: () => string | undefined;
} {
  const keys = new MemoryConsole({ isTerminal: true });
  const lines = new LineDiscipline(keys.guest);
  const line = (): string | undefined => {
    const bytes = lines.read(100);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  };
  return { keys, lines, line };
}

discipline(
  'nothing is read before the line is finished; Enter is a newline; keys are echoed',
  () => {
    const { keys, line, lines } = terminal();

    keys.write('ab');
    assert.is(line(), undefined);
    assert.is(lines.input, 'waiting');
    keys.write('c\rx');

    assert.is(line(), 'abc\n');
    assert.is(line(), undefined);
    assert.is(keys.text, 'abc\nx');
  },
);

discipline('backspace takes one character, of however many bytes; Ctrl-U all', () => {
  const { keys, line } = terminal();

  keys.write('aé\x7f\x7f\x7fb\r');
  assert.is(line(), 'b\n');
  keys.write('wrong\x15right\r');
  assert.is(line(), 'right\n');
  assert.ok(keys.text.startsWith('aé\b \b\b \bb\n'));
});

discipline('Ctrl-D ends a line without a newline, and is the end of file on an empty one', () => {
  const { keys, line } = terminal();

  keys.write('ab\x04');
  assert.is(line(), 'ab');
  keys.write('\x04more\r');
  assert.is(line(), '');
  assert.is(line(), 'more\n');
});

discipline('a short read leaves the rest of the line', () => {
  const { keys, lines } = terminal();
  keys.write('abc\r');

  assert.equal([...(lines.read(2) ?? [])], [97, 98]);
  assert.equal([...(lines.read(9) ?? [])], [99, 10]);
});

discipline('when the terminal goes away, what was typed is read, and then the end', () => {
  const { keys, line, lines } = terminal();
  keys.write('half');
  keys.end();

  assert.is(line(), 'half');
  assert.is(line(), '');
  assert.is(lines.input, 'ended');
});

discipline('control characters are shown as such', () => {
  const { keys, line } = terminal();
  keys.write('\x03\r');

  assert.is(line(), '\x03\n');
  assert.is(keys.text, '^C\n');
});

discipline.run();
