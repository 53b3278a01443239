/** xenstore's messages and page, against Xen's header as gcc lays it out. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  XENSTORE_ABS_PATH_MAX,
  XENSTORE_CONNECTED,
  XENSTORE_ERROR,
  XENSTORE_PAYLOAD_MAX,
  XENSTORE_RECONNECT,
  XENSTORE_REL_PATH_MAX,
  XENSTORE_RING_SIZE,
  XENSTORE_SERVER_FEATURE,
  XS,
  xenstore_domain_interface,
  xsd_sockmsg,
} from '../../../../runtime/abi/io/xs-wire.ts';
import { askHeaders, measureStruct } from '../../../support/xen-headers.ts';

const abi = suite('runtime/abi/io/xs-wire');

const header = 'io/xs_wire.h';

for (const width of [64, 32] as const)
  abi(`x86-${width}: the structs are laid out as in Xen's header`, async () => {
    for (const type of [xsd_sockmsg, xenstore_domain_interface]) {
      const { offsets, size } = type.layout(width);

      const measured = await measureStruct(
        [header],
        width,
        `struct ${type.name}`,
        Object.keys(offsets),
      );

      assert.equal({ ...offsets, sizeof: size }, measured);
    }
  });

abi('the constants are those of the header', async () => {
  const ours = {
    ...prefixed('XS_', XS),
    ...prefixed('XENSTORE_SERVER_FEATURE_', XENSTORE_SERVER_FEATURE),
    ...prefixed('XENSTORE_ERROR_', XENSTORE_ERROR),
    XENSTORE_ABS_PATH_MAX,
    XENSTORE_CONNECTED,
    XENSTORE_PAYLOAD_MAX,
    XENSTORE_RECONNECT,
    XENSTORE_REL_PATH_MAX,
    XENSTORE_RING_SIZE,
  };

  const theirs = await askHeaders(
    [header],
    64,
    Object.fromEntries(Object.keys(ours).map((name) => [name, name])),
  );

  assert.equal(ours, theirs);
});

const prefixed = (prefix: string, values: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));

abi.run();
