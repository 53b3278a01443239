import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XenError } from '../../../../runtime/errors.ts';
import { tracedGrants, tracedPorts } from '../../../../runtime/xen/trace/host-trace.ts';
import { FakeEventPort } from '../../../support/fake-event-port.ts';

const host = suite('runtime/xen/trace/host-trace');

host('what goes through an event channel is told, either way', () => {
  const heard: string[] = [];
  const port = new FakeEventPort();
  let calls = 0;
  const ports = tracedPorts({ bind: () => port }, 1, ({ text }) => heard.push(text));

  const bound = ports.bind(4);
  bound.listen(() => calls++);
  port.send();
  bound.notify();
  bound.close();

  assert.is(calls, 1);
  assert.ok(port.isClosed);
  assert.equal(heard, [
    ...['d0 binds d1 port 4', 'd0 <- d1 port 4', 'd0 -> d1 port 4', 'd0 closes d1 port 4'],
  ]);
});

host('grants are told with how they were used, and why not', () => {
  const heard: string[] = [];
  let unmapped = 0;
  const grants = tracedGrants(
    {
      map: (reference) => {
        if (reference !== 8) throw new XenError('EINVAL', 'nothing');
        return { host: 4096, unmap: () => unmapped++ };
      },
    },
    ...([1, ({ text }: { readonly text: string }) => heard.push(text)] as const),
  );

  grants.map(8, 'write').unmap();
  assert.throws(() => grants.map(9, 'read'), /nothing/);

  assert.is(unmapped, 1);
  assert.equal(heard, [
    ...['d0 maps d1 grant 8 to write', 'd0 unmaps d1 grant 8'],
    'd0 maps d1 grant 9 to read = EINVAL (nothing)',
  ]);
});

host.run();
