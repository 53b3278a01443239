/** The same conversations with Xen's own xenstored and with ours: every answer, errno and event is the same. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RequestName } from '../../../runtime/abi/io/xs-wire.ts';
import { Xenstored } from '../../../runtime/xenstore/xenstored.ts';
import { freshSeed, type Random, random } from '../../support/random.ts';
import { RealXenstored, type StoreSocket } from '../../support/real-xenstored.ts';
import { StoreGuest } from '../../support/store-guest.ts';

const real = suite('runtime/xenstore/real-xenstored');

const seed = Number(process.env['STUBDOM_SEED'] ?? freshSeed());
const steps = Number(process.env['STUBDOM_FUZZ'] ?? 3000);

/** Domain 0's tools, and domains 1 and 2, at both stores. */
class Both {
  readonly theirs: readonly StoreSocket[];
  readonly ours: readonly StoreGuest[];
  readonly #stop: () => void;

  private constructor(theirs: StoreSocket[], ours: StoreGuest[], stop: () => void) {
    this.theirs = theirs;
    this.ours = ours;
    this.#stop = stop;
  }

  static async start(): Promise<Both> {
    const ours = [0, 1, 2].map(() => new StoreGuest());
    const ring = (domid: number) => (ours[domid] ?? new StoreGuest()).ring;
    const xenstored = new Xenstored({ findRing: ring });
    xenstored.serve(0, ring(0));
    for (const domid of [1, 2]) xenstored.addDomain(domid);
    const daemon = await RealXenstored.start();
    const tools = await daemon.tools();
    for (const domid of [1, 2]) {
      assert.equal(await tools.ask('INTRODUCE', `${domid}|1|1|`), ['OK|']);
      assert.equal(ours[0]?.ask('INTRODUCE', `${domid}|1|1|`), ['OK|']);
    }
    const theirs = [tools, await daemon.domain(1), await daemon.domain(2)];
    return new Both(theirs, ours, () => daemon.stop());
  }

  /** What both answer, and what the others hear; the test fails where they differ. */
  async ask(
    who: number,
    name: RequestName,
    payload: string,
    { transaction = 0, at = '', listeners = [0, 1, 2] } = {},
  ): Promise<string> {
    const theirs = (await this.theirs[who]?.ask(name, payload, transaction)) ?? [];
    const ours = this.ours[who]?.ask(name, payload, transaction) ?? [];
    const said = `${at} d${who} ${name}[${transaction}](${payload})`;
    assert.equal(masked(name, ours), masked(name, theirs), said);
    for (const other of listeners.filter((domid) => domid !== who)) {
      const heard = await this.theirs[other]?.events();
      const events = this.ours[other]
        ?.take()
        .map(({ type, payload: text }) => `${type} ${text.replaceAll('\0', '|')}`.trim());
      assert.equal(events, heard, `${said}: what d${other} hears`);
    }
    return theirs.find((line) => !line.startsWith('WATCH_EVENT')) ?? '';
  }

  stop(): void {
    this.#stop();
  }
}

/** Each store counts generations on its own. */
const masked = (name: RequestName, answers: readonly string[]): string[] =>
  name === 'DIRECTORY_PART'
    ? answers.map((line) => line.replace(/^\d+\|/, 'generation|'))
    : [...answers];

async function withBoth(body: (both: Both) => Promise<void>): Promise<void> {
  const both = await Both.start();
  try {
    await prepare(both);
    await body(both);
  } finally {
    both.stop();
  }
}

async function prepare(both: Both): Promise<void> {
  for (const domid of [1, 2]) {
    const home = `/local/domain/${domid}`;
    await both.ask(0, 'MKDIR', `${home}/data|`);
    await both.ask(0, 'SET_PERMS', `${home}|n0|r${domid}|`);
    await both.ask(0, 'SET_PERMS', `${home}/data|n${domid}|`);
  }
  await both.ask(0, 'WRITE', '/open/shared|x');
  await both.ask(0, 'SET_PERMS', '/open|r0|');
  await both.ask(0, 'SET_PERMS', '/open/shared|b0|n2|');
}

const everyRequest = [
  ...(['READ', 'DIRECTORY', 'MKDIR', 'RM', 'GET_PERMS', 'WRITE', 'WATCH', 'UNWATCH'] as const),
  ...([
    'SET_PERMS',
    'DIRECTORY_PART',
    'TRANSACTION_END',
    'WATCH_EVENT',
    'GET_DOMAIN_PATH',
  ] as const),
  ...(['IS_DOMAIN_INTRODUCED', 'RELEASE', 'RESUME', 'SET_TARGET', 'INTRODUCE'] as const),
  ...(['TRANSACTION_START', 'RESET_WATCHES'] as const),
];

const oddPayloads = [
  ...['', '|', '/|', 'a', 'a|', 'a|b', 'a|b|', 'a|b|c|', '/a/|', '//a|', 'a b|', 'a.b|t|'],
  ...['/local/domain/2/x|', '/open/none|', '/open/shared|', '@releaseDomain|t|', '@x|t|'],
  ...['@releaseDomain|n1|', '@x|n1|', 'data|n1|r99|', 'data|x1|', 'data|r|', 'data|r1x|'],
  ...['data|n1|r2|w2|b2|r3|r3|', 'data|n2|', 'data|n2', 'data|b0x1|', 'data|b01|', 'T|', 'F|'],
  ...['data|0|', 'data|99|', 'data|-1|', 'data|x|', '|0|', '0|', '1|', ' 1|', '32752|', '99|'],
  `data/${'x'.repeat(2043)}|`,
  `data/${'x'.repeat(2044)}|`,
  `/${'x'.repeat(2048)}|`,
  `data/big|${'x'.repeat(2100)}`,
];

/** Where Xen's daemon answers whatever errno it met last; and where that is none, it dies. */
function isLeftToChance(who: number, name: RequestName, payload: string): boolean {
  const isOne = payload !== '' && payload.indexOf('|') === payload.length - 1;
  if (['READ', 'DIRECTORY', 'GET_PERMS', 'MKDIR', 'RM'].includes(name)) return !isOne;
  if (name === 'SET_PERMS') return who !== 0 && payload.startsWith('@');
  return who === 0 && ['INTRODUCE', 'RELEASE', 'SET_TARGET'].includes(name);
}

real('malformed and refused requests', () =>
  withBoth(async (both) => {
    for (const who of [1, 0])
      for (const name of everyRequest)
        for (const payload of oddPayloads)
          if (!isLeftToChance(who, name, payload))
            await both.ask(who, name, payload, { at: 'malformed' });
  }),
);

real('watches, and what each may see', () =>
  withBoth(async (both) => {
    for (const path of ['data', '/local/domain/1', '/open', '/open/shared', '/', '@releaseDomain'])
      for (const who of [0, 1, 2]) await both.ask(who, 'WATCH', `${path}|t${who}|`);
    await both.ask(1, 'WRITE', 'data/a/b|1');
    await both.ask(1, 'SET_PERMS', 'data/a|n1|r2|');
    await both.ask(1, 'WRITE', 'data/a/b|2');
    await both.ask(1, 'SET_PERMS', 'data/a/b|n1|r2|');
    await both.ask(1, 'SET_PERMS', 'data/a/b|n1|');
    await both.ask(2, 'WRITE', '/open/shared|2');
    await both.ask(1, 'WRITE', '/open/shared|1');
    await both.ask(0, 'SET_PERMS', '/open/shared|n0|');
    await both.ask(0, 'WRITE', '/open/shared|3');
    await both.ask(1, 'RM', 'data/a|');
    await both.ask(1, 'RM', 'data|');
    await both.ask(1, 'MKDIR', 'data|');
    await both.ask(0, 'RM', '/open|');
    await both.ask(0, 'SET_TARGET', '2|1|');
    await both.ask(2, 'WRITE', '/local/domain/1/data/x|by its model');
    await both.ask(0, 'MKDIR', '/local/domain/1/data|');
    await both.ask(0, 'SET_PERMS', '/local/domain/1/data|n1|');
    await both.ask(2, 'WRITE', '/local/domain/1/data/x|by its model');
    await both.ask(2, 'GET_PERMS', '/local/domain/1/data/x|');
    await both.ask(0, 'SET_PERMS', '@releaseDomain|n0|r1|');
    await both.ask(0, 'RELEASE', '2|', { listeners: [1] });
    await both.ask(0, 'DIRECTORY', '/local/domain|', { listeners: [1] });
  }),
);

real('lists in parts', () =>
  withBoth(async (both) => {
    for (let i = 0; i < 500; i++) await both.ask(0, 'MKDIR', `/open/many/child-${i}|`);
    await both.ask(1, 'DIRECTORY', '/open/many|');
    for (const offset of [0, 9, 4000, 4070, 4077, 4080, 4090, 5390, 5400, 9999])
      await both.ask(1, 'DIRECTORY_PART', `/open/many|${offset}|`);
  }),
);

real('what a domain may use', () =>
  withBoth(async (both) => {
    for (let i = 0; i < 131; i++) await both.ask(1, 'WATCH', `data/${i}|t|`);
    for (let i = 0; i < 13; i++) await both.ask(1, 'TRANSACTION_START', '|');
    for (const size of [2007, 2008, 2015, 2016, 2017, 2047, 2048])
      await both.ask(1, 'WRITE', `data/s${size}|${'x'.repeat(size)}`);
    await both.ask(1, 'RESET_WATCHES', '|');
    for (let i = 0; i < 30; i++) await both.ask(1, 'MKDIR', `data/${'n'.repeat(90)}-${i}|`);
    for (let i = 0; i < 100; i++)
      for (let j = 0; j < 11; j++) await both.ask(1, 'MKDIR', `data/m/${i}/${j}|`);
  }),
);

const places = ['data', 'data/a', 'data/a/b', 'data/c', '/open/shared', '/open/x', '/tool'];
const permissions = ['n1', 'n2', 'n0', 'r1', 'r2', 'b1', 'b2', 'w2', 'r0'];

function someRequest(numbers: Random): readonly [RequestName, string] {
  const one = (of: readonly string[]): string => of[numbers.below(of.length)] ?? '';
  const home = numbers.below(6) === 0 ? `/local/domain/${numbers.below(3)}/` : '';
  const place = one(places);
  const path = place.startsWith('/') ? place : `${home}${place}`;
  const requests: (readonly [RequestName, string])[] = [
    ['READ', `${path}|`],
    ['DIRECTORY', `${path}|`],
    ['GET_PERMS', `${path}|`],
    ['WRITE', `${path}|${numbers.below(100)}`],
    ['WRITE', `${path}|${numbers.below(100)}`],
    ['MKDIR', `${path}|`],
    ['RM', `${path === 'data' ? 'data/a' : path}|`],
    ['SET_PERMS', `${path}|${one(permissions)}|${one(['', `${one(permissions)}|`])}`],
    ['WATCH', `${path}|${one(['t', 'u'])}|`],
    ['UNWATCH', `${path}|${one(['t', 'u'])}|`],
    ['DIRECTORY_PART', `${path}|${numbers.below(8)}|`],
  ];
  return requests[numbers.below(requests.length)] ?? ['READ', '|'];
}

/**
 * One transaction and what others do meanwhile. Only what it has met already changes, or what it never meets: a node that
 * changes before it is first read, Xen's daemon shows as it is then, against its own specification.
 */
async function transact(both: Both, numbers: Random, at: string): Promise<void> {
  const who = numbers.below(3);
  const transaction = Number((await both.ask(who, 'TRANSACTION_START', '|', { at })).slice(0, -1));
  const met: string[] = [];
  for (let left = numbers.below(6); left > 0; left--) {
    const [name, payload] = someRequest(numbers);
    const isOutside = name === 'WATCH' || name === 'UNWATCH';
    const answer = await both.ask(who, name, payload, { transaction, at });
    const path = payload.split('|')[0] ?? '';
    if (!isOutside && name === 'READ' && !answer.startsWith('ERROR'))
      met.push(path.startsWith('/') ? path : `/local/domain/${who}/${path}`);
    const known = met[numbers.below(met.length + 1)];
    if (known !== undefined && numbers.below(4) === 0)
      await both.ask(0, 'WRITE', `${known}|${numbers.below(100)}`, { at });
    if (numbers.below(4) === 0) await both.ask(0, 'WRITE', '/elsewhere|x', { at });
  }
  const end = numbers.below(4) === 0 ? 'F|' : 'T|';
  await both.ask(who, 'TRANSACTION_END', end, { transaction, at });
}

real(`${steps} random requests (STUBDOM_SEED=${seed})`, () =>
  withBoth(async (both) => {
    const numbers = random(seed);
    for (let step = 0; step < steps; step++) {
      const at = `seed ${seed}, step ${step}:`;
      if (numbers.below(12) === 0) await transact(both, numbers, at);
      else {
        const [name, payload] = someRequest(numbers);
        await both.ask(numbers.below(3), name, payload, { at });
      }
    }
  }),
);

real.run();
