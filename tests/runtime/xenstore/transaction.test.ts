/** Random requests in and outside of transactions, with watches, against a model. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XenError } from '../../../runtime/errors.ts';
import type { StoreAccess, StoreClient } from '../../../runtime/xenstore/client.ts';
import { Xenstored } from '../../../runtime/xenstore/xenstored.ts';
import { errnoOf } from '../../support/errno-of.ts';
import { freshSeed, type Random, random } from '../../support/random.ts';
import { type ModelAction, StoreModel } from '../../support/store-model.ts';

const transaction = suite('runtime/xenstore/transaction');

const seed = Number(process.env['STUBDOM_SEED'] ?? freshSeed());

/** Few names, so that much meets: depth 0 to 3. */
function somePath({ below }: Random): string {
  const names = Array.from({ length: below(4) }, () => 'abc'[below(3)]);
  return `/${names.join('/')}`;
}

function someAction(numbers: Random): ModelAction {
  const path = somePath(numbers);
  const kind = (['read', 'directory', 'remove', 'mkdir', 'write', 'write'] as const)[
    numbers.below(6)
  ];
  if (kind === 'write') return { do: kind, path, value: String(numbers.below(1000)) };
  return { do: kind ?? 'read', path };
}

/** The root's own children come from the start: /tool is left out. */
function act(store: StoreAccess, action: ModelAction): string {
  const { path } = action;
  try {
    if (action.do === 'read') return store.read(path);
    if (action.do === 'directory')
      return [...store.directory(path)]
        .filter((name) => name !== 'tool')
        .sort()
        .join(' ');
    if (action.do === 'remove') store.remove(path);
    else if (action.do === 'write') store.write(path, action.value);
    else store.makeDirectory(path);
    return 'OK';
  } catch (error) {
    if (error instanceof XenError) return error.errno;
    throw error;
  }
}

interface Pair {
  readonly real: ReturnType<StoreClient['begin']>;
  readonly model: ReturnType<StoreModel['begin']>;
}

/** One step in both; what they answered, to be equal. */
function step(numbers: Random, store: StoreClient, model: StoreModel, open: Pair[]): string[] {
  const choice = numbers.below(10);
  if (choice === 0 && open.length < 4) {
    open.push({ real: store.begin(), model: model.begin() });
    return ['', ''];
  }
  const index = numbers.below(Math.max(open.length, 1));
  const pair = choice < 7 ? open[index] : undefined;
  if (choice === 1 && pair !== undefined) {
    open.splice(index, 1);
    if (numbers.below(5) === 0) {
      pair.real.abort();
      return ['', ''];
    }
    const happened = errnoOf(() => pair.real.commit()) === 'no error';
    return [String(happened), String(model.commit(pair.model))];
  }
  const action = someAction(numbers);
  return [act(pair?.real ?? store, action), model.act(action, pair?.model)].map(
    (answer) => `${JSON.stringify(action)}: ${answer}`,
  );
}

transaction(`20,000 steps answer and tell as a model does (STUBDOM_SEED=${seed})`, () => {
  for (let run = 0; run < 100; run++) {
    const numbers = random(seed + run);
    const store = new Xenstored().connect();
    const watches = ['/', '/a', '/a/b', '/b/c/a', '/c'];
    const told: string[] = [];
    for (const watch of watches) store.watch(watch, (path) => told.push(`${watch}: ${path}`));
    const model = new StoreModel(watches);
    const open: Pair[] = [];
    for (let i = 0; i < 200; i++) {
      told.length = 0;
      model.told = [];
      const [real, expected] = step(numbers, store, model, open);
      const at = `seed ${seed}, run ${run}, step ${i}`;
      assert.is(real, expected, at);
      assert.equal(told, model.told, `${at}: ${real}`);
    }
  }
});

transaction('what was made and removed within it leaves no trace', () => {
  const store = new Xenstored().connect();
  const told: string[] = [];
  store.watch('/', (path) => told.push(path));
  told.length = 0;

  store.transaction((t) => {
    t.write('/a/b', 1);
    t.remove('/a');
  });

  assert.is(store.find('/a'), undefined);
  assert.equal(told, []);
});

transaction('two that read what the other writes: the second comes too late', () => {
  const store = new Xenstored().connect();
  store.write('/a', 1);
  store.write('/b', 1);
  const [first, second] = [store.begin(), store.begin()];

  first.write('/b', first.read('/a'));
  second.write('/a', second.read('/b'));
  first.commit();

  assert.is(
    errnoOf(() => second.commit()),
    'EAGAIN',
  );
});

transaction('two that touch different nodes both happen', () => {
  const store = new Xenstored().connect();
  store.write('/a', 1);
  store.write('/b', 1);
  const [first, second] = [store.begin(), store.begin()];

  first.write('/a', 2);
  second.write('/b', 2);
  first.commit();
  second.commit();

  assert.equal([store.read('/a'), store.read('/b')], ['2', '2']);
});

transaction.run();
