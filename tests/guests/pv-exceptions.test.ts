/**
 * What a PV guest's handlers find of #DB, #SS, #AC and #XM, which the emulated processor under the recorded Xen raises otherwise or not at
 * all: held to the manual (SDM vol. 3, 6.15 and chapter 18).
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boot } from '../../runtime/index.ts';
import { buildPvGuest } from '../support/pv-guest.ts';

const pv = suite('guests/pv-exceptions');

/** Instructions differ in length, and a kernel at level 1 need align nothing. INT 82H clears TF on its way, SYSCALL and back does not. */
const of = <T>(width: 64 | 32, wide: T, narrow: T): T => (width === 64 ? wide : narrow);

const expected = (width: 64 | 32): readonly string[] => [
  'steps: #DB(0) at +1, flags 102, dr6 4000',
  'steps: #DB(0) at +3, flags 102, dr6 4000',
  `steps: #DB(0) at +${of(width, 5, 4)}, flags 102, dr6 4000`,
  'steps of a repeated string: #DB(0) at +0, flags 10102, dr6 4000',
  'steps of a repeated string: #DB(0) at +0, flags 10102, dr6 4000',
  'steps of a repeated string: #DB(0) at +2, flags 102, dr6 4000',
  'steps of a repeated string: #DB(0) at +3, flags 102, dr6 4000',
  'steps over a hypercall: #DB(0) at +1, flags 102, dr6 4000',
  `steps over a hypercall: #DB(0) at +${of(width, 3, 4)}, flags 102, dr6 4000`,
  'a step over INT3: #BP(0) at +1, flags 102, dr6 0',
  'steps end: nothing',
  'a breakpoint: #DB(0) at +1, flags 2, dr6 1',
  'a write that is watched: #DB(0) at +7, flags 2, dr6 2',
  'a read that is watched: #DB(0) at +5, flags 2, dr6 2',
  'nothing watched: nothing',
  'a stack that is not present: #SS(8) at +0, flags 10002, dr6 0',
  ...of(width, ['a stack that is not canonical: #SS(0) at +0, flags 10002, dr6 0'], []),
  'aligned: #UD(0) at +6, flags 50002, dr6 0',
  `misaligned: ${of(width, '#AC(0) at +0', '#UD(0) at +3')}, flags 50002, dr6 0`,
  'a division by zero: #XM(0) at +0, flags 10002, dr6 0',
  'mxcsr 1d84',
];

for (const width of [64, 32] as const)
  pv(`${width}: each is raised where the manual says so`, async () => {
    const image = await buildPvGuest('../pv-exceptions', width);

    const domain = await boot(image, { name: 'exceptions', budget: 2 ** 24 });
    const ending = await domain.exited;

    const lines = domain.console.text.replaceAll('\r', '').trimEnd().split('\n');
    assert.equal(lines, expected(width));
    assert.is(ending.status, 0, ending.report);
  });

pv.run();
