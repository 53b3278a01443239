/** What of a console's text says only how late it was. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { steady } from './console-noise.ts';

const noise = suite('support/console-noise');

noise('progress of reading is noise, with the way there and back', () => {
  const progress = '\x1b[12;39H      [ hello.txt  18B  100%  400.06B/s ]\x1b[12;1H';

  assert.is(steady(`\n\r${progress}${progress}hello`), '\n\rhello');
});

noise('what has come of it so far is noise, too, and what has come of any sequence', () => {
  const progress = '\x1b[12;39H      [ hello.txt  18B  100%  400.06B/s ]\x1b[12;1H';

  for (let length = progress.indexOf('[ hello') + 2; length < progress.length; length++)
    assert.is(steady(`there${progress.slice(0, length)}`), 'there', `${length}`);
  assert.is(steady('there\x1b[12;'), 'there');
});

noise('a menu that counts down is one that does not', () => {
  const line = '\x1b[22;1H   The highlighted entry will be executed automatically in 5s.   ';

  assert.is(steady(`a${line}\x1b[5;78H`), 'a\x1b[5;78H');
});

noise('what a person typed or a file says is none', () => {
  const text = '\x1b[1;1Hgrub> echo [ 100% ]\n\r[ 100% ]\n\r';

  assert.is(steady(text), text);
});

noise.run();
