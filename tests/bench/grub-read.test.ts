import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { grubReadText, speedIn } from './grub-read.ts';

const bench = suite('bench/grub-read');

bench('GRUB’s own count is read in its units', () => {
  assert.is(speedIn('Elapsed time: 2.8 s \r\nSpeed: 22.50MiB/s \r\n').toFixed(2), '23.59');
  assert.is(speedIn('Speed: 500.00KiB/s').toFixed(3), '0.512');
  assert.throws(() => speedIn('error: file not found'), /told no speed/);
});

bench('the target is told', () => {
  const [met, not, none] = [23.6, 19.9, undefined].map((speed) =>
    grubReadText({ width: 64, speed }),
  );

  assert.is(met, 'x86-64: GRUB reads a file at 23.6 MB/s; target 20: met');
  assert.match(not ?? '', /not met$/);
  assert.match(none ?? '', /not measured/);
});

bench.run();
