import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../../../runtime/errors.ts';
import {
  closing,
  isSavedDomain,
  openingOf,
  readSaved,
  recordOf,
  recordTypes,
} from '../../../../runtime/xen/save/stream.ts';

const test = suite('runtime/xen/save/stream');

const { END, PAGE_DATA, VERIFY, SHARED_INFO } = recordTypes;

function joined(pieces: Iterable<Uint8Array>): Uint8Array {
  return Uint8Array.from([...pieces].flatMap((piece) => [...piece]));
}

const record = (type: number, ...body: number[]): Uint8Array =>
  recordOf({ type, body: Uint8Array.from(body) });

const file = (...records: readonly Uint8Array[]): Uint8Array =>
  joined([...openingOf('{"c_info":{}}'), ...records, record(END), closing()]);

test('records come back with their bodies, whatever their lengths', () => {
  const bytes = file(record(PAGE_DATA, 1, 2, 3), record(SHARED_INFO), record(VERIFY, 9));

  const { configuration, records } = readSaved(bytes, 'f');

  assert.ok(isSavedDomain(bytes));
  assert.is(configuration, '{"c_info":{}}');
  assert.equal(
    records.map(({ type, body }) => [type, ...body]),
    [[PAGE_DATA, 1, 2, 3], [SHARED_INFO], [VERIFY, 9]],
  );
});

test('a record is padded to 8 bytes', () => {
  assert.equal([...record(PAGE_DATA, 7)], [1, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]);
});

test('records that may be passed over are', () => {
  assert.equal(readSaved(file(record(0x8000_0001, 5)), 'f').records, []);
});

test('what ends before its end is refused wherever it ends', () => {
  const bytes = file(record(PAGE_DATA, 1, 2, 3));
  // Behind libxc's last record nothing is read.
  const needed = bytes.length - 8;

  for (let length = 0; length < needed; length++)
    assert.throws(
      () => readSaved(bytes.slice(0, length), 'f'),
      (error: unknown) => error instanceof UserError,
      `${length}`,
    );
});

test('another version is named', () => {
  const bytes = file();
  const at = joined(openingOf('{"c_info":{}}')).length - 40 + 15;
  bytes[at] = 9;

  assert.throws(() => readSaved(bytes, 'f'), /f: a stream of version 9, not 3/);
});

test.run();
