import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseTrace, traceTo } from '../../../toolchain/cli/trace-option.ts';
import { assertRefused } from '../../support/assert-refused.ts';

const trace = suite('toolchain/cli/trace-option');

trace('categories are words between commas', () => {
  assert.equal([...parseTrace('hypercall')], ['hypercall']);
  assert.equal([...parseTrace('blk, event,blk')], ['blk', 'event']);
});

trace('a word that is no category is refused with those that are', async () => {
  const rest = 'expected some of hypercall,xenstore,event,grant,blk,net,fs';

  await assertRefused(() => parseTrace('blk,nope'), `--trace blk,nope: no nope; ${rest}`);
  await assertRefused(() => parseTrace('blk,'), `--trace blk,: an empty name; ${rest}`);
  await assertRefused(() => parseTrace('hostCall'), /no hostCall/);
});

trace('only the events asked for are written, a line each', () => {
  let written = '';
  const heard = traceTo((line) => {
    written += line;
  }, parseTrace('blk,grant'));

  heard?.({ kind: 'blk', text: 'xvda: READ' });
  heard?.({ kind: 'event', text: 'evtchn_send' });
  heard?.({ kind: 'hostCall', text: 'minios_write' });
  heard?.({ kind: 'grant', text: 'map' });
  heard?.({ kind: 'hypercall', also: 'grant', text: 'grant_table_op' });
  heard?.({ kind: 'hypercall', also: 'event', text: 'event_channel_op' });

  assert.is(written, 'xvda: READ\nmap\ngrant_table_op\n');
});

trace('where nothing is asked for there is nobody to tell', () => {
  assert.is(
    traceTo(() => {}, new Set()),
    undefined,
  );
});

trace.run();
