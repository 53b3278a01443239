import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GTF, grant_entry_v1, grant_entry_v2 } from '../../../../runtime/abi/grant-table.ts';
import { DOMID } from '../../../../runtime/abi/xen.ts';
import { frameTypes } from '../../../../runtime/xen/frames.ts';
import { SharedEntries } from '../../../../runtime/xen/grants/shared-entries.ts';
import { answer } from '../../../support/xen-answers.ts';
import { testFrames } from '../../../support/xen-domain.ts';

const test = suite('runtime/xen/grants/shared-entries');

const make = () => {
  const frames = testFrames();
  const entries = new SharedEntries(1, frames);
  const hostOf = (frame: number | undefined): number => frames.hostOf(frame ?? 0) ?? 0;
  return { frames, entries, hostOf };
};

test('entries of version 1 are where the guest writes them', () => {
  const { frames, entries, hostOf } = make();
  entries.grow(2);
  const view = grant_entry_v1.layout(32).at(frames.memory, hostOf(entries.sharedFrames[1]) + 8);
  Object.assign(view, { flags: GTF.permit_access, domid: 3, frame: 0x1234 });

  const entry = entries.entry(513);
  entries.setInUse(513, GTF.reading);

  assert.is(entries.count, 1024);
  assert.is(entry.domid, 3);
  assert.is(entry.frame, 0x1234n);
  assert.is(view.flags, GTF.permit_access | GTF.reading);
});

test('entries of version 2 tell parts of pages, and their use stands in pages of its own', () => {
  const { frames, entries, hostOf } = make();
  entries.setVersion(2);
  const view = grant_entry_v2
    .layout(64)
    .at(frames.memory, hostOf(entries.sharedFrames[0]) + 16 * 9);
  Object.assign(view, { flags: GTF.permit_access | GTF.sub_page, page_off: 100, length: 20 });

  entries.setInUse(9, GTF.reading | GTF.writing);
  const used = frames.memory.view().getUint16(hostOf(entries.statusFrames[0]) + 18, true);
  entries.clearInUse(9, GTF.writing);

  assert.is(entries.count, 256);
  assert.is(entries.entry(9).offset, 100);
  assert.is(entries.entry(9).length, 20);
  assert.is(used, GTF.reading | GTF.writing);
  assert.is(view.flags, GTF.permit_access | GTF.sub_page);
});

test('a change of version keeps the reserved entries and clears all others', () => {
  const { entries } = make();
  entries.writeEntry(1, GTF.permit_access | GTF.reading, 0, 77);
  entries.writeEntry(20, GTF.permit_access, 0, 78);

  entries.setVersion(2);
  const kept = entries.entry(1);
  entries.setVersion(1);

  assert.is(kept.flags, GTF.permit_access);
  assert.is(kept.frame, 77n);
  assert.is(entries.entry(1).flags, GTF.permit_access | GTF.reading);
  assert.is(entries.entry(1).frame, 77n);
  assert.is(entries.entry(20).flags, 0);
  assert.equal(entries.statusFrames, []);
});

test('an entry that version 1 cannot say keeps version 2', () => {
  const { frames, entries, hostOf } = make();
  entries.setVersion(2);
  const view = grant_entry_v2.layout(64).at(frames.memory, hostOf(entries.sharedFrames[0]));
  Object.assign(view, { flags: GTF.permit_access, frame: 1n << 33n });

  assert.is(
    answer(() => entries.setVersion(1)),
    'ERANGE',
  );
  assert.is(entries.version, 2);
});

test("the table's pages are the domain's to map, and never to make page tables of", () => {
  const { frames, entries } = make();
  const frame = entries.sharedFrames[0] ?? 0;

  assert.is(frames.ownerOf(frame), 1);
  assert.is(frames.typeOf(frame), frameTypes.writable);
  assert.is(frames.typeCountOf(frame), 1);
  assert.is.not(frames.ownerOf(frame), DOMID.INVALID);
});

test.run();
