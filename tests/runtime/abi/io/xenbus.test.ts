/** xenbus states, against Xen's header. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XenbusState } from '../../../../runtime/abi/io/xenbus.ts';
import { askHeaders } from '../../../support/xen-headers.ts';

const abi = suite('runtime/abi/io/xenbus');

abi('the states are those of the header', async () => {
  const theirs = await askHeaders(
    ['io/xenbus.h'],
    64,
    Object.fromEntries(Object.keys(XenbusState).map((name) => [name, `XenbusState${name}`])),
  );

  assert.equal(XenbusState, theirs);
});

abi.run();
