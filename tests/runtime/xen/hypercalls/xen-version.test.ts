import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  XENVER,
  xen_feature_info,
  xen_platform_parameters,
} from '../../../../runtime/abi/version.ts';
import { xenVersion } from '../../../../runtime/xen/hypercalls/xen-version.ts';
import { answer, ask, bothWidths } from '../../../support/xen-answers.ts';
import { testDomain } from '../../../support/xen-domain.ts';

const test = suite('runtime/xen/hypercalls/xen-version');

test('Xen is 4.17.7 and runs guests of both widths', () => {
  const { domain, address } = testDomain(64);
  const text = (number: number): string => {
    domain.guest.fill(address, 2048, 0x55);
    xenVersion.call(domain, [BigInt(number), address]);
    return domain.guest.readString(address, 2048);
  };

  assert.is(xenVersion.call(domain, [0n, 0n]), 0x4_0011);
  assert.is(text(XENVER.extraversion), '.7');
  assert.is(text(XENVER.capabilities), 'xen-3.0-x86_64 xen-3.0-x86_32p ');
  assert.is(text(XENVER.commandline), '<denied>');
  assert.is(domain.guest.readU32(address + 8n), 0x5555_5500);
});

test('features and addresses are those of the width', () => {
  const found = bothWidths.map((width) => {
    const guest = testDomain(width);
    const features = ask(guest, xenVersion, XENVER.get_features, xen_feature_info, {
      submap_idx: 0,
    });
    const { submap } = features.value;
    const start = ask(guest, xenVersion, XENVER.platform_parameters, xen_platform_parameters, {});
    return [submap, start.value.virt_start];
  });

  assert.equal(found, [
    [0x2_20e0, 0xffff_8000_0000_0000n],
    [0x2_20f0, 0xf580_0000n],
  ]);
});

test('what is not there or not told is refused', () => {
  const guest = testDomain(64);
  const call = (number: number, at: bigint) =>
    answer(() => xenVersion.call(guest.domain, [BigInt(number), at]));

  assert.is(
    ask(guest, xenVersion, XENVER.get_features, xen_feature_info, { submap_idx: 1 }).result,
    'EINVAL',
  );
  assert.is(call(XENVER.pagesize, 0n), 4096);
  assert.is(call(XENVER.pagesize, guest.address), 'EINVAL');
  assert.is(call(XENVER.build_id, 0n), 'EPERM');
  assert.is(call(XENVER.changeset, 0x4000_0000n), 'EFAULT');
  assert.is(call(11, guest.address), 'ENOSYS');
});

test.run();
