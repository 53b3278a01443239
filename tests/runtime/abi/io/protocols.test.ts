import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XEN_IO_PROTO_ABI } from '../../../../runtime/abi/io/protocols.ts';
import { askHeaders } from '../../../support/xen-headers.ts';

const abi = suite('runtime/abi/io/protocols');

abi('names are the header’s', async () => {
  const { X86_32, X86_64 } = XEN_IO_PROTO_ABI;

  const answers = await askHeaders(['io/protocols.h'], 64, {
    x86_32: `!__builtin_strcmp(XEN_IO_PROTO_ABI_X86_32, "${X86_32}")`,
    x86_64: `!__builtin_strcmp(XEN_IO_PROTO_ABI_X86_64, "${X86_64}")`,
  });

  assert.equal(answers, { x86_32: 1, x86_64: 1 });
});

abi.run();
