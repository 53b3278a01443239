/** What touches which addresses, across pages and after removal. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PageIndex, pagesOf, type Stretch } from '../../../runtime/memory/page-index.ts';
import { random } from '../../support/random.ts';

const test = suite('runtime/memory/page-index');

test('a stretch lies in every page that it touches, and in none that it ends before', () => {
  assert.equal([...pagesOf({ from: 0xfffn, to: 0x2000n })], [0n, 1n]);
  assert.equal([...pagesOf({ from: 0x1000n, to: 0x1000n })], []);
});

test('what touches a stretch is what a search of all says, whatever is added and removed', () => {
  const source = random(5);
  const index = new PageIndex<number>();
  const all = new Map<number, Stretch[]>();
  const stretch = (): Stretch => {
    const from = BigInt(source.below(0x8000));
    return { from, to: from + BigInt(1 + source.below(0x1800)) };
  };

  for (let i = 0; i < 2000; i++) {
    const stretches = [stretch(), stretch()];
    all.set(i, stretches);
    index.add(i, stretches);
    const gone = source.below(i + 1);
    index.remove(gone, all.get(gone) ?? []);
    all.delete(gone);

    const wanted = stretch();
    const expected = [...all].filter(([, some]) =>
      some.some(({ from, to }) => from < wanted.to && to > wanted.from),
    );
    assert.equal(
      [...index.touching(wanted)].sort((a, b) => a - b),
      expected.map(([thing]) => thing),
    );
  }
});

test.run();
