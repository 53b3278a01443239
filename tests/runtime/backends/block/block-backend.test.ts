/** What a front-end gets for each kind of request, in rings of both widths. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BLKIF_DISCARD_SECURE, BLKIF_OP, BLKIF_RSP } from '../../../../runtime/abi/io/blkif.ts';
import { MemoryDisk } from '../../../../runtime/backends/block/memory-disk.ts';
import { protocols } from '../../../../runtime/backends/block/protocol.ts';
import { BlockFrontEnd } from '../../../support/block-front-end.ts';
import { LateDisk } from '../../../support/late-disk.ts';
import { LoggedDisk } from '../../../support/logged-disk.ts';
import { random } from '../../../support/random.ts';

const vbd = suite('runtime/backends/block/block-backend');

const { READ, WRITE, WRITE_BARRIER, FLUSH_DISKCACHE } = BLKIF_OP;
const { OKAY, ERROR, EOPNOTSUPP } = BLKIF_RSP;

const noise = random(3).bytes(2048 * 512);
const content = (sectors = 2048): Uint8Array => noise.slice(0, sectors * 512);
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

for (const width of [64, 32] as const)
  for (const [kind, late] of [
    ['at once', false],
    ['later', true],
  ] as const) {
    const over = (bytes: Uint8Array): MemoryDisk | LateDisk =>
      late ? new LateDisk(new MemoryDisk(bytes)) : new MemoryDisk(bytes);

    vbd(`x86-${width}, ${kind}: a read fills just the sectors that its segments name`, async () => {
      const bytes = content();
      const front = new BlockFrontEnd(over(bytes), { width });
      const [a, b] = [front.grants.page(), front.grants.page()];
      front.queue(READ, 0x1234_5678_9abc_def0n, 5, [
        { gref: a.gref, first_sect: 1, last_sect: 2 },
        { gref: b.gref, first_sect: 7, last_sect: 7 },
      ]);

      front.push();

      assert.equal(await front.answers(1), [
        { id: 0x1234_5678_9abc_def0n, operation: READ, status: OKAY },
      ]);
      const memory = front.memory.bytes();
      assert.ok(memory.subarray(a.host, a.host + 512).every((byte) => byte === 0));
      assert.ok(same(memory.subarray(a.host + 512, a.host + 1536), bytes.subarray(2560, 3584)));
      assert.ok(memory.subarray(a.host + 1536, a.host + 4096).every((byte) => byte === 0));
      assert.ok(same(memory.subarray(b.host + 3584, b.host + 4096), bytes.subarray(3584, 4096)));
      assert.is(front.grants.mapped, 0);
    });

    vbd(
      `x86-${width}, ${kind}: what is written is read again, by indirect segments, too`,
      async () => {
        const bytes = content();
        const front = new BlockFrontEnd(over(bytes), { width, ringPages: 4 });
        const [from, to] = [front.grants.pages(200), front.grants.pages(200)];
        const written = random(9).bytes(200 * 4096);
        front.memory.bytes().set(written, from[0]?.host);
        front.queueIndirect(WRITE, 1n, 100, front.whole(from));
        front.push();
        assert.equal(await front.answers(1), [{ id: 1n, operation: WRITE, status: OKAY }]);
        assert.ok(same(bytes.subarray(51200, 51200 + written.length), written));

        for (let n = 0; n < 200; n += 11)
          front.queue(READ, BigInt(n), 100 + 8 * n, front.whole(to.slice(n, n + 11)));
        front.push();

        const responses = await front.answers(19);
        assert.ok(responses.every(({ status }) => status === OKAY));
        assert.equal(new Set(responses.map(({ id }) => id)).size, 19);
        const host = to[0]?.host ?? 0;
        assert.ok(same(front.memory.bytes().subarray(host, host + written.length), written));
        assert.is(front.grants.mapped, 0);
      },
    );
  }

vbd(
  'requests that ask for what cannot be are answered with an error, and move nothing',
  async () => {
    const bytes = content(64);
    const before = bytes.slice();
    const front = new BlockFrontEnd(new MemoryDisk(bytes));
    const page = front.grants.page();
    const readable = front.grants.page('read');
    const whole = front.whole([page]);
    const wrong: readonly (readonly [string, () => void])[] = [
      ['no segments', () => front.queue(READ, 1n, 0)],
      ['beyond the end', () => front.queue(WRITE, 1n, 57, whole)],
      ['far beyond', () => front.queue(READ, 1n, 2 ** 53, whole)],
      [
        'no such grant',
        () => front.queue(READ, 1n, 0, [...whole, { gref: 999, first_sect: 0, last_sect: 7 }]),
      ],
      ['granted for reading', () => front.queue(READ, 1n, 0, front.whole([page, readable]))],
      [
        'first behind last',
        () => front.queue(WRITE, 1n, 0, [{ gref: page.gref, first_sect: 3, last_sect: 2 }]),
      ],
      [
        'beyond the page',
        () => front.queue(WRITE, 1n, 0, [{ gref: page.gref, first_sect: 0, last_sect: 8 }]),
      ],
      ['indirect, no segments', () => front.queueIndirect(READ, 1n, 0, [])],
      [
        'indirect, too many',
        () =>
          front.queueIndirect(
            READ,
            1n,
            0,
            Array.from({ length: 257 }, () => whole[0] ?? { gref: 0, first_sect: 0, last_sect: 0 }),
          ),
      ],
      ['indirect flush', () => front.queueIndirect(FLUSH_DISKCACHE, 1n, 0, whole)],
      ['discard beyond the end', () => front.queueDiscard(1n, 60, 5)],
      ['discard of everything there could be', () => front.queueDiscard(1n, 0, 2 ** 63)],
    ];
    for (const [name, queue] of wrong) {
      queue();
      front.push();
      assert.equal(
        (await front.answers(1)).map(({ status }) => status),
        [ERROR],
        name,
      );
    }
    assert.equal(bytes, before);
    assert.ok(
      front.memory
        .bytes()
        .subarray(page.host, page.host + 4096)
        .every((byte) => byte === 0),
    );
    assert.is(front.grants.mapped, 0);
    assert.is(front.broken, undefined);
  },
);

vbd('twelve segments do not fit, whatever a request says', async () => {
  const front = new BlockFrontEnd(new MemoryDisk(content()));
  const bytes = new Uint8Array(112);
  bytes[1] = 200;
  front.queueBytes(bytes);
  front.push();

  assert.is((await front.answers(1))[0]?.status, ERROR);
});

vbd('what is not offered is not supported', async () => {
  const front = new BlockFrontEnd(new MemoryDisk(content()), { discards: false });
  front.queueDiscard(1n, 0, 8);
  front.queue(4, 2n, 0);
  front.queue(200, 3n, 0);
  front.push();
  assert.equal(
    (await front.answers(3)).map(({ status }) => status),
    [EOPNOTSUPP, EOPNOTSUPP, EOPNOTSUPP],
  );

  const other = new BlockFrontEnd(new MemoryDisk(content()));
  other.queueDiscard(1n, 0, 8, BLKIF_DISCARD_SECURE);
  other.push();
  assert.equal(
    (await other.answers(1)).map(({ status }) => status),
    [EOPNOTSUPP],
  );
});

vbd('discarded sectors are discarded', async () => {
  const bytes = content(64);
  const front = new BlockFrontEnd(new MemoryDisk(bytes));
  front.queueDiscard(1n, 8, 8);
  front.push();

  assert.equal(await front.answers(1), [{ id: 1n, operation: BLKIF_OP.DISCARD, status: OKAY }]);
  assert.ok(bytes.subarray(4096, 8192).every((byte) => byte === 0));
});

vbd('a read-only disk is read and flushed, and nothing else', async () => {
  const bytes = content(64);
  const before = bytes.slice();
  const front = new BlockFrontEnd(new MemoryDisk(bytes, { isReadOnly: true }));
  const whole = front.whole([front.grants.page()]);
  front.queue(READ, 1n, 0, whole);
  front.queue(WRITE, 2n, 0, whole);
  front.queue(WRITE_BARRIER, 3n, 0, whole);
  front.queue(FLUSH_DISKCACHE, 4n, 0);
  front.queueDiscard(5n, 0, 8);
  front.push();

  const responses = await front.answers(5);
  const byId = Object.fromEntries(responses.map(({ id, status }) => [id, status]));
  assert.equal(byId, { 1: OKAY, 2: ERROR, 3: ERROR, 4: OKAY, 5: ERROR });
  assert.equal(bytes, before);
});

vbd('a barrier comes behind all before it and in front of all behind it', async () => {
  const disk = new LoggedDisk(new LateDisk(new MemoryDisk(content())));
  const front = new BlockFrontEnd(disk);
  const whole = front.whole([front.grants.page()]);
  for (let n = 0; n < 5; n++) front.queue(WRITE, BigInt(n), n * 8, whole);
  front.queue(WRITE_BARRIER, 5n, 40, whole);
  for (let n = 6; n < 9; n++) front.queue(WRITE, BigInt(n), n * 8, whole);
  front.push();
  const responses = await front.answers(9);

  assert.ok(responses.every(({ status }) => status === OKAY));
  const log = disk.log.join('; ');
  const barrier = 'flush; flushed; write 40; written 40; flush; flushed';
  assert.ok(log.includes(barrier), log);
  const [before = '', after = ''] = log.split(barrier);
  assert.is([...before.matchAll(/written/g)].length, 5);
  assert.is([...after.matchAll(/write /g)].length, 3);
});

vbd('a flush begins when the writes before it are done, and nothing waits for it', async () => {
  const disk = new LoggedDisk(new LateDisk(new MemoryDisk(content())));
  const front = new BlockFrontEnd(disk);
  const whole = front.whole([front.grants.page()]);
  for (let n = 0; n < 5; n++) front.queue(WRITE, BigInt(n), n * 8, whole);
  front.queue(FLUSH_DISKCACHE, 5n, 0);
  front.queue(READ, 6n, 0, whole);
  front.push();
  await front.answers(7);

  const { log } = disk;
  assert.is(
    log.slice(0, log.indexOf('flush')).filter((line) => line.startsWith('written')).length,
    5,
  );
  assert.ok(log.indexOf('read 0') < log.indexOf('flushed'), log.join('; '));
});

vbd('a flush with data flushes in front of it and behind it', async () => {
  const disk = new LoggedDisk(new MemoryDisk(content()));
  const front = new BlockFrontEnd(disk);
  front.queue(FLUSH_DISKCACHE, 1n, 8, front.whole([front.grants.page()]));
  front.push();

  assert.equal(await front.answers(1), [{ id: 1n, operation: FLUSH_DISKCACHE, status: OKAY }]);
  assert.equal(disk.log, ['flush', 'flushed', 'write 8', 'written 8', 'flush', 'flushed']);
});

vbd('a disk that answers at once has answered when the guest’s event has been sent', () => {
  const front = new BlockFrontEnd(new MemoryDisk(content()));
  front.queue(READ, 1n, 0, front.whole([front.grants.page()]));

  front.push();

  assert.is(front.take().length, 1);
  assert.is(front.port.notified, 1);
});

vbd('answers to a full ring come with one notification', () => {
  const front = new BlockFrontEnd(new MemoryDisk(content()), { ringPages: 2 });
  const whole = front.whole([front.grants.page()]);
  for (let n = 0; n < front.size; n++) front.queue(READ, BigInt(n), n, whole);

  front.push();

  assert.is(front.take().length, 64);
  assert.is(front.port.notified, 1);
});

vbd('a guest that asks for no event gets none', () => {
  const front = new BlockFrontEnd(new MemoryDisk(content()));
  front.setIndex('rsp_event', 2 ** 31);
  front.queue(READ, 1n, 0, front.whole([front.grants.page()]));

  front.push();

  assert.is(front.port.notified, 0);
  assert.is(front.take().length, 1);
});

vbd('a clock that says much time has passed gives the event loop a turn', async () => {
  let [now, turns] = [0n, 0];
  const clock = {
    monotonic: () => (now += 1_500_000n),
    realtime: () => 0n,
    after: () => () => {},
    turn: async () => {
      turns++;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  const front = new BlockFrontEnd(new MemoryDisk(content()), { clock });
  const whole = front.whole([front.grants.page()]);
  for (let n = 0; n < 10; n++) front.queue(READ, BigInt(n), n, whole);
  front.push();

  assert.is((await front.answers(10)).length, 10);
  assert.is(turns, 5);
});

vbd('the memory may grow while a read is under way', async () => {
  const bytes = content();
  const front = new BlockFrontEnd(new LateDisk(new MemoryDisk(bytes)));
  const page = front.grants.page();
  front.queue(READ, 1n, 8, front.whole([page]));
  front.push();
  front.memory.allocate(64 * 2 ** 20);

  assert.is((await front.answers(1))[0]?.status, OKAY);
  assert.ok(
    same(front.memory.bytes().subarray(page.host, page.host + 4096), bytes.subarray(4096, 8192)),
  );
});

vbd('grants that are used again are mapped once, and given back at the end', async () => {
  const front = new BlockFrontEnd(new MemoryDisk(content()), { isPersistent: true });
  const pages = front.grants.pages(11);
  const before = front.grants.mappings;
  for (let n = 0; n < 20; n++) front.queue(n % 2 ? READ : WRITE, BigInt(n), n, front.whole(pages));
  front.push();

  assert.ok((await front.answers(20)).every(({ status }) => status === OKAY));
  assert.is(front.grants.mappings - before, 11);
  assert.is(front.grants.mapped, 11);
  await front.backend.close();
  assert.is(front.grants.mapped, 0);
  assert.ok(front.port.isClosed);
});

vbd('closing waits for what is under way, and touches the guest’s memory no more', async () => {
  const front = new BlockFrontEnd(new LateDisk(new MemoryDisk(content())));
  const page = front.grants.page();
  for (let n = 0; n < 20; n++) front.queue(READ, BigInt(n), 8, front.whole([page]));
  front.push();
  assert.ok(front.grants.mapped > 0);

  await front.backend.close();

  assert.is(front.grants.mapped, 0);
  assert.is(front.take().length, 0);
  assert.ok(
    front.memory
      .bytes()
      .subarray(page.host, page.host + 4096)
      .every((byte) => byte === 0),
  );
});

vbd('indices that cannot be end it, and it says why', () => {
  const front = new BlockFrontEnd(new MemoryDisk(content()));
  front.setIndex('req_prod', 500);
  front.port.send();

  assert.match(front.broken ?? '', /req_prod is 500/);
  front.setIndex('req_prod', 1);
  front.port.send();
  assert.is(front.index('rsp_prod'), 0);
});

vbd('a trace tells each request and its answer', async () => {
  const lines: string[] = [];
  const front = new BlockFrontEnd(new MemoryDisk(content(64)), {
    trace: ({ kind, text }) => void lines.push(`${kind} ${text}`),
  });
  const whole = front.whole([front.grants.page(), front.grants.page()]);
  front.queue(READ, 5n, 8, whole);
  front.queue(WRITE, 6n, 60, whole);
  front.queue(FLUSH_DISKCACHE, 7n, 0);
  front.queueDiscard(8n, 8, 16, 1);
  front.queueIndirect(WRITE, 9n, 0, whole);
  front.queue(77, 10n, 0);
  front.push();
  await front.answers(6);

  assert.equal(lines, [
    'blk xvda: READ {id:5 sector:8 segments:2 sectors:16} = OKAY',
    'blk xvda: WRITE {id:6 sector:60 segments:2 sectors:16} = ERROR (EINVAL: sectors 60+16 lie beyond 64)',
    'blk xvda: FLUSH_DISKCACHE {id:7} = OKAY',
    'blk xvda: DISCARD {id:8 sector:8 sectors:16 flag:1} = EOPNOTSUPP (EOPNOTSUPP: discarding for sure is not offered)',
    'blk xvda: INDIRECT WRITE {id:9 sector:0 segments:2} = OKAY',
    'blk xvda: operation 77 {id:10} = EOPNOTSUPP (EOPNOTSUPP: no such operation)',
  ]);
});

vbd('there are two protocols, and their rings’ entries differ', () => {
  const sizes = Object.entries(protocols).map(([name, { requestSize, responseSize }]) => [
    name,
    requestSize,
    responseSize,
  ]);

  assert.equal(sizes, [
    ['x86_64-abi', 112, 16],
    ['x86_32-abi', 108, 12],
  ]);
});

vbd.run();
