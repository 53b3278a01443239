import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GNTMAP } from '../../../../runtime/abi/grant-table.ts';
import { domid, flags, hex, named, number } from '../../../../runtime/xen/trace/values.ts';

const values = suite('runtime/xen/trace/values');

values('small numbers are decimal, others are more likely addresses', () => {
  assert.equal([number(0n), number(65535n), number(65536n)], ['0', '65535', '0x10000']);
  assert.equal([hex(0n), hex(10n)], ['0', '0xa']);
});

values('names stand for what the headers name, and nothing else', () => {
  assert.equal([named({ send: 4 })(4n), named({ send: 4 })(5n)], ['send', '5']);
  assert.equal([domid(0n), domid(2n), domid(0x7ff0n), domid(0x7ff1n)], ['0', '2', 'SELF', 'IO']);
  assert.is(flags(GNTMAP)(0x86n), 'host_map|readonly|0x80');
  assert.is(flags(GNTMAP)(0n), '0');
});

values.run();
