/** Who may do what with a node. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatPermission, may, parsePermission } from '../../../runtime/xenstore/permissions.ts';
import { errnoOf } from '../../support/errno-of.ts';

const permissions = suite('runtime/xenstore/permissions');

permissions('are written as a letter and a domain, whose number is read as C reads it', () => {
  const texts = ['n0', 'r5', 'w12', 'b32751', 'r0x10', 'r010', 'n-1', 'n+3', 'b 4'];

  const read = texts.map((text) => formatPermission(parsePermission(text)));

  assert.equal(read, ['n0', 'r5', 'w12', 'b32751', 'r16', 'r8', 'n-1', 'n3', 'b4']);
  for (const bad of ['', 'n', 'x1', 'R1', '1', 'n1x', 'n0x', 'n09', 'nr1', 'n1 '])
    assert.is(
      errnoOf(() => parsePermission(bad)),
      'EINVAL',
      bad,
    );
});

const subject = (domid: number, target?: number) => ({ domid, target, isPrivileged: domid === 0 });

const rights = (texts: readonly string[], who: ReturnType<typeof subject>): string => {
  const list = texts.map(parsePermission);
  return `${may(who, list, 'read') ? 'r' : '-'}${may(who, list, 'write') ? 'w' : '-'}`;
};

permissions(
  'the owner may all, those named what they are granted, others what the first says',
  () => {
    const list = ['n1', 'r2', 'w3', 'b4'];

    assert.equal(
      [1, 2, 3, 4, 5].map((domid) => rights(list, subject(domid))),
      ['rw', 'r-', '-w', 'rw', '--'],
    );
    assert.is(rights(['r1', 'n2'], subject(5)), 'r-');
    assert.is(rights(['b1', 'n2'], subject(2)), '--');
    assert.is(rights(['n1'], subject(0)), 'rw');
  },
);

permissions('a domain has the rights of its target', () => {
  assert.is(rights(['n1'], subject(9, 1)), 'rw');
  assert.is(rights(['n0', 'r1'], subject(9, 1)), 'r-');
  assert.is(rights(['n0', 'n9', 'r1'], subject(9, 1)), '--');
});

permissions('one that is ignored counts as absent', () => {
  const list = [parsePermission('r1'), { ...parsePermission('n2'), isIgnored: true as const }];

  assert.ok(may(subject(2), list, 'read'));
});

permissions.run();
