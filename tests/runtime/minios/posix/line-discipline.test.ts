/** Keys at a terminal, and the lines that a program reads. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryConsole } from '../../../../runtime/backends/console/memory-console.ts';
import { SIG } from '../../../../runtime/minios/abi/signal.ts';
import { TERMIOS } from '../../../../runtime/minios/abi/termios.ts';
import { LineDiscipline } from '../../../../runtime/minios/posix/line-discipline.ts';

const discipline = suite('runtime/minios/posix/line-discipline');

function terminal(): {
  keys: MemoryConsole;
  lines: LineDiscipline;
  line: () => string | undefined;
  /** Signals. */
  raised: number[];
} {
  const keys = new MemoryConsole({ isTerminal: true });
  const raised: number[] = [];
  const lines = new LineDiscipline(keys.guest, (signal) => raised.push(signal));
  const line = (): string | undefined => {
    const bytes = lines.read(100);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  };
  return { keys, lines, line, raised };
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
  keys.write('\x01\r');

  assert.is(line(), '\x01\n');
  assert.is(keys.text, '^A\n');
});

discipline('keys raise signals, though nobody reads, and what was typed before is lost', () => {
  const { keys, line, lines, raised } = terminal();
  keys.write('typed\rmore\x03\x1cafter\r');

  assert.ok(lines.look());

  assert.equal(raised, [SIG.INT, SIG.QUIT]);
  assert.is(line(), 'after\n');
  assert.is(keys.text, 'typed\nmore^C^\\after\n');
});

discipline('without ISIG they are characters, and with NOFLSH nothing is lost', () => {
  const { keys, line, lines, raised } = terminal();
  const { settings } = lines;
  lines.setSettings({ ...settings, lflag: settings.lflag & ~TERMIOS.ISIG });
  keys.write('a\x03\r');

  assert.is(line(), 'a\x03\n');
  assert.equal(raised, []);

  lines.setSettings({ ...settings, lflag: settings.lflag | TERMIOS.NOFLSH });
  keys.write('b\x03c\r');

  assert.is(line(), 'bc\n');
  assert.equal(raised, [SIG.INT]);
});

discipline.run();
