/** Mini-OS's network front-end, from C, on the real back-end. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { NetDeviceSpecification } from '../../runtime/backends/net/net-device.ts';
import { boot } from '../../runtime/index.ts';
import { cable } from '../../runtime/network/frame.ts';
import { type Program, testFile, Workbench } from '../support/program.ts';

const net = suite<{ bench: Workbench }>('guests/net');

net.before((context) => {
  context.bench = new Workbench();
});
net.after(({ bench }) => bench.remove());

const program: Program = { files: [testFile('guests/minios/net.c')], options: ['-O2'] };

const scenes: Readonly<Record<string, string>> = {
  devices: `device/vif/2: no such device
00:00 ip none
00:01 ip 10.1.2.3
600 arrived, 0 wrong, from the second: 1
600 arrived, 0 wrong, from the first: 1; no third: 1
`,
  again: '0 wrong\n',
  'by hand': 'gateway none, none 0, one 109 0, handled 1, wrong 0\n',
  tap: `read -1 EAGAIN
write 95, poll 1, read 95, wrong 0
cut to 14, then 0
close 0
again 3, missing device/vif/7: no such device
-1 EIO
`,
};

/** Sends back what comes. */
function echo(handle: number, ip?: string): NetDeviceSpecification {
  const [link, other] = cable();
  other.listen(({ bytes }) => other.send({ bytes }));
  return { handle, mac: Uint8Array.from([0, 0x16, 0x3e, 0, 0, handle]), link, ip };
}

for (const width of [64, 32] as const)
  for (const [scene, printed] of Object.entries(scenes))
    net(`x86-${width}: ${scene}`, async ({ bench }) => {
      const image = new Uint8Array(readFileSync(await bench.image(program, width)));
      const networks = [echo(0), echo(1, '10.1.2.3')];
      const budget = 100_000_000;

      const guest = await boot(image, { name: 'guest.elf', arguments: [scene], networks, budget });
      guest.console.end();
      const ending = await guest.exited;

      assert.is(guest.console.text, printed, ending.report);
      assert.is(ending.status, 0);
    });

net.run();
