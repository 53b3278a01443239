import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { shared_info } from '../../../../runtime/abi/xen.ts';
import { eventDomains } from '../../../support/event-domain.ts';
import { bothWidths } from '../../../support/xen-answers.ts';

const test = suite('runtime/xen/events/event-bits');

test('an event sets its bit, its word in the selector and the upcall flag', () => {
  for (const width of bothWidths) {
    const { domain, bits } = eventDomains(width).one;
    const shared = shared_info.layout(width).at(domain.memory, domain.sharedInfo);

    bits.setPending(70);

    assert.is(shared.evtchn_pending[Math.floor(70 / width)], 1n << BigInt(70 % width));
    assert.is(shared.vcpu_info[0]?.evtchn_pending_sel, 1n << BigInt(Math.floor(70 / width)));
    assert.is(shared.vcpu_info[0]?.evtchn_upcall_pending, 1);
    assert.ok(bits.isDeliverable);
  }
});

test('an event of a masked port is told when the port is unmasked', () => {
  for (const width of bothWidths) {
    const { domain, bits } = eventDomains(width).one;
    const shared = shared_info.layout(width).at(domain.memory, domain.sharedInfo);
    shared.evtchn_mask = [1n << 5n];

    bits.setPending(5);
    const whileMasked = bits.isDeliverable;
    bits.unmask(5);

    assert.not(whileMasked);
    assert.is(shared.evtchn_mask[0], 0n);
    assert.ok(bits.isDeliverable);
  }
});

test('an event that is pending already raises no upcall again', () => {
  const { domain, bits } = eventDomains(64).one;
  const shared = shared_info.layout(64).at(domain.memory, domain.sharedInfo);
  shared.evtchn_pending = [1n << 3n];

  bits.setPending(3);

  assert.not(bits.isDeliverable);
});

test('nothing is delivered while upcalls are masked', () => {
  const { domain, bits } = eventDomains(64).one;
  domain.vcpu.isUpcallMasked = true;
  bits.setPending(3);

  const whileMasked = bits.isDeliverable;
  bits.enableUpcalls();

  assert.not(whileMasked);
  assert.ok(bits.isDeliverable);
});

test('where vcpu_info has moved, its words are used', () => {
  for (const width of bothWidths) {
    const { domain, bits, host } = eventDomains(width).one;
    domain.vcpu.info = host + 256;

    bits.setPending(1);
    bits.selectAll();

    const shared = shared_info.layout(width).at(domain.memory, domain.sharedInfo);
    const word = (1n << BigInt(width)) - 1n;
    const view = domain.memory.view();
    const at = host + 256 + (width === 64 ? 8 : 4);
    const selector = width === 64 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
    assert.is(selector, word);
    assert.is(shared.vcpu_info[0]?.evtchn_upcall_pending, 0);
    assert.ok(bits.isDeliverable);
  }
});

test.run();
