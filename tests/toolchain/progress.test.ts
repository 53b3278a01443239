import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { showProgress } from '../../toolchain/progress.ts';

const progress = suite('toolchain/progress');

/** What is written to a stream that is a terminal or not. */
function paper(isTTY: boolean): { stream: NodeJS.WriteStream; written: () => string } {
  const parts: string[] = [];
  const stream = { isTTY, columns: 60, write: (part: string) => parts.push(part) > 0 };
  return { stream: stream as unknown as NodeJS.WriteStream, written: () => parts.join('') };
}

progress('in a file it is a few lines', () => {
  const { stream, written } = paper(false);
  const shown = showProgress(stream, 'job');

  for (let percent = 1; percent <= 100; percent++) shown.update(percent / 100);
  shown.done('done');

  assert.is(written(), 'job: 1%\njob: 25%\njob: 50%\njob: 75%\njob: 100%\ndone\n');
});

progress('on a terminal it is one line that fits and is wiped at the end', () => {
  const { stream, written } = paper(true);
  const shown = showProgress(stream, 'job');

  shown.update(0.5, 'a long description that the terminal has no room for');
  shown.update(0.5, 'a long description that the terminal has no room for');
  shown.done('done');

  const [, line = '', rest] = written().split('\r');
  assert.match(line, /^job \[#{12} {12}\] {2}50% a long desc/);
  assert.is(line.replace('\x1b[K', '').length, 59);
  assert.is(rest, '\x1b[Kdone\n');
});

progress.run();
