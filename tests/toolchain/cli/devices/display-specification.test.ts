/** Where a screen is shown, as the command line and cfg files have it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  parseVfb,
  parseVncOption,
} from '../../../../toolchain/cli/devices/display-specification.ts';
import { assertRefused } from '../../../support/assert-refused.ts';

const test = suite('toolchain/cli/devices/display-specification');

test('a display is a port from 5900 on, of the loopback where nothing else is said', () => {
  assert.equal(parseVncOption(':0'), { address: '127.0.0.1', port: 5900 });
  assert.equal(parseVncOption('0.0.0.0:7'), { address: '0.0.0.0', port: 5907 });
});

test('vfb of a cfg file', () => {
  const at = (address: string, port: number): unknown => ({
    vnc: { address, port },
    screenshot: undefined,
  });
  assert.equal(parseVfb(''), at('127.0.0.1', 5900));
  assert.equal(parseVfb('vnc=1,vnclisten=0.0.0.0,vncdisplay=3'), at('0.0.0.0', 5903));
  assert.equal(parseVfb('vnclisten=127.0.0.2:4, sdl=0'), at('127.0.0.2', 5904));
  assert.equal(parseVfb('vnc=0'), { vnc: undefined, screenshot: undefined });
});

test('what is wrong is said', async () => {
  await assertRefused(() => parseVncOption('0'), /expected \[ADDRESS\]:DISPLAY/);
  await assertRefused(() => parseVncOption(':60000'), '--vnc :60000: no display 60000');
  await assertRefused(() => parseVncOption('1.2:0'), /1\.2: expected an IPv4 address/);
  await assertRefused(() => parseVfb('sdl=1'), "vfb 'sdl=1': sdl=1 is not supported yet, only 0");
  await assertRefused(
    () => parseVfb('vncpasswd=x'),
    "vfb 'vncpasswd=x': vncpasswd is not supported yet",
  );
  await assertRefused(() => parseVfb('vnc=1,vnc=0'), /vnc is given twice/);
  await assertRefused(() => parseVfb('colour=1'), /no colour; there are vnc, vnclisten/);
  await assertRefused(() => parseVfb('vncdisplay=x'), "vfb 'vncdisplay=x': no display NaN");
});

test.run();
