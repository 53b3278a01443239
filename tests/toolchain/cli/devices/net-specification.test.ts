/** Network interfaces as the command line and cfg files have them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseNetOption, parseVif } from '../../../../toolchain/cli/devices/net-specification.ts';
import { assertRefused } from '../../../support/assert-refused.ts';

const test = suite('toolchain/cli/devices/net-specification');

const plain = {
  ...{ mac: undefined, ip: undefined, bridge: undefined, forwards: [], outside: false },
  ...{ restricted: false, tftp: undefined, bootFile: undefined, capture: undefined },
};
const forward = { protocol: 'tcp', address: '127.0.0.1', port: 8080, guestPort: 80 };

test('what is not said is least', () => {
  assert.equal(parseNetOption('user'), plain);
  assert.equal(parseVif(''), plain);
});

test('everything that can be said', () => {
  const text = 'user,forward=8080:80,forward=udp:0.0.0.0:53:5353,outside,tftp=boot,bootfile=k';

  const said = parseNetOption(`${text},mac=0:1:2:3:4:5,capture=a.pcapng`);

  const udp = { protocol: 'udp', address: '0.0.0.0', port: 53, guestPort: 5353 };
  assert.equal(said, {
    ...{ ...plain, outside: true, tftp: 'boot', bootFile: 'k', capture: 'a.pcapng' },
    ...{ forwards: [forward, udp], mac: Uint8Array.of(0, 1, 2, 3, 4, 5) },
  });
  assert.equal(parseVif('mac=0:1:2:3:4:5,bridge=xenbr0,ip=10.0.2.77,script=vif-bridge'), {
    ...{ ...plain, mac: said.mac, bridge: 'xenbr0', ip: '10.0.2.77' },
  });
});

test('what is wrong is said', async () => {
  const wrong: readonly (readonly [string, string | RegExp])[] = [
    ['tap', /^--net tap: expected user/],
    ['user,forward=80', /forward=80: expected \[udp:\]\[ADDRESS:\]PORT:GUESTPORT/],
    ['user,forward=80:0', /forward=80:0: expected/],
    ['user,forward=70000:80', /forward=70000:80: expected/],
    ['user,forward=1.2.3:80:80', /^1\.2\.3: expected an IPv4 address/],
    ['user,outside,restrict', /outside and restrict exclude each other/],
    ['user,outside=yes', /outside=yes: expected on or off/],
    ['user,bootfile=k', /bootfile needs tftp=FOLDER/],
    ['user,mac=1,mac=2', /mac is given twice/],
    ['user,speed=9', /no speed; there are forward, outside/],
  ];
  for (const [text, message] of wrong) await assertRefused(() => parseNetOption(text), message);
});

test.run();
