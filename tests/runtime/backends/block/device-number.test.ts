/** Names and numbers, against the tables of xen-vbd-interface(7). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { deviceNumber } from '../../../../runtime/backends/block/device-number.ts';
import { assertRefused } from '../../../support/assert-refused.ts';

const numbers = suite('runtime/backends/block/device-number');

// biome-ignore format: a table
const table: readonly (readonly [names: string, number: number])[] = [
  ['d0 d0p0 xvda',     (202 << 8)],
  ['d1p2 xvdb2',       (202 << 8) | (1 << 4) | 2],
  ['d15p15 xvdp15',    (202 << 8) | (15 << 4) | 15],
  ['d16 xvdq',         (1 << 28) | (16 << 8)],
  ['d0p16 xvda16',     (1 << 28) | 16],
  ['d25 xvdz',         (1 << 28) | (25 << 8)],
  ['d26 xvdaa',        (1 << 28) | (26 << 8)],
  ['d536p37 xvdtq37',  (1 << 28) | (536 << 8) | 37],
  ['d1048575p255 d0xfffffp0xff', (1 << 28) | (1048575 << 8) | 255],
  ['sda',              (8 << 8)],
  ['sdb3',             (8 << 8) | (1 << 4) | 3],
  ['sdp15',            (8 << 8) | (15 << 4) | 15],
  ['hda',              (3 << 8)],
  ['hda1',             (3 << 8) | 1],
  ['hdb63',            (3 << 8) | (1 << 6) | 63],
  ['hdc2',             (22 << 8) | 2],
  ['hdd',              (22 << 8) | (1 << 6)],
  ['51712 0xca00 0145000', 51712],
  ['768',              768],
  ['0',                0],
  ['2147483647',       2147483647],
];

for (const [names, number] of table)
  numbers(`${names}: ${number}`, () => {
    for (const name of names.split(' ')) assert.is(deviceNumber(name), number, name);
  });

numbers('what is beyond the table is refused', async () => {
  const wrong = [
    'xvd',
    'xvda256',
    'xvda01',
    'xvda0',
    'sdq',
    'sda16',
    'hde',
    'hda64',
    'vda',
    '',
    'd',
    'd1p',
    'd0p256',
  ];
  const others = [
    'd1048576',
    'XVDA',
    'xvda ',
    '2147483648',
    '-1',
    '08',
    '1x',
    'xvdA',
    'd-1',
    'xvdzzzzzzzz',
  ];
  for (const name of [...wrong, ...others])
    await assertRefused(() => deviceNumber(name), new RegExp(`^no device ${name};`));
});

numbers.run();
