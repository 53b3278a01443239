import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EVTCHNOP } from '../../../../runtime/abi/event-channel.ts';
import { GNTTABOP } from '../../../../runtime/abi/grant-table.ts';
import { hypercallArguments } from '../../../../runtime/xen/trace/hypercall-arguments.ts';

const rows = suite('runtime/xen/trace/hypercall-arguments');

const describe = (name: keyof typeof hypercallArguments, args: readonly bigint[]) =>
  hypercallArguments[name]?.(args, 64);

rows('every event-channel and grant operation has its name, and its struct', () => {
  for (const [name, number] of Object.entries(EVTCHNOP)) {
    const { operation, pointed } = describe('event_channel_op', [BigInt(number), 8n]) ?? {};
    assert.equal([operation, pointed?.struct.name], [name, `evtchn_${name}`]);
  }
  for (const [name, number] of Object.entries(GNTTABOP).filter(([name]) => name !== 'dump_table')) {
    const { operation, pointed } = describe('grant_table_op', [BigInt(number), 8n, 1n]) ?? {};
    assert.equal([operation, pointed?.struct.name], [name, `gnttab_${name}`]);
  }
});

rows('an operation without an argument points at nothing', () => {
  assert.equal(describe('sched_op', [0n, 0n]), { operation: 'yield', values: [] });
});

rows('32-bit guests give entries in two registers', () => {
  const names = (width: 64 | 32) =>
    hypercallArguments.update_va_mapping?.([], width).values.map(([name]) => name);

  assert.equal(names(64), ['va', 'val', 'flags']);
  assert.equal(names(32), ['va', 'val', 'high', 'flags']);
});

rows.run();
