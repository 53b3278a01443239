/** What cfg files mean: values, defaults, and what is refused with its line. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type DomainConfig, endKind, readConfig } from '../../../toolchain/cli/domain-config.ts';
import { parseCfg } from '../../../toolchain/cli/xl-cfg.ts';
import { assertRefused } from '../../support/assert-refused.ts';

const config = suite('toolchain/cli/domain-config');

const read = (text: string, added: readonly string[] = []): DomainConfig =>
  readConfig(parseCfg(text, 'guest.cfg', added), 'guest.cfg');

const least = 'name="guest"\nkernel="/images/grub.bin"\n';

config('what is not said is as libxl has it', () => {
  assert.equal(read(least), {
    ...{ name: 'guest', kernel: '/images/grub.bin', ramdisk: undefined, commandLine: undefined },
    ...{ memory: 32 * 2 ** 20, disks: [], networks: [], p9: [], displays: [], consoles: [] },
    actions: { poweroff: 'destroy', reboot: 'restart', watchdog: 'destroy', crash: 'destroy' },
  });
});

config('a whole file', () => {
  const text = `
    # a guest
    type = "pv"
    name = 'guest'; vcpus = 1
    kernel = "vmlinuz"
    ramdisk = "initrd.img"
    root = "/dev/xvda1 ro"
    extra = "console=hvc0"
    memory = 0x80
    maxmem = 128
    disk = [ 'file:a.img,xvda,w',
             'b.iso,,xvdb,cdrom' ]
    vif = [ 'mac=00:16:3e:00:00:05,bridge=xenbr0' ]
    vfb = [ 'vncdisplay=2', 'vnc=0' ]
    channel = [ 'connection=socket,path=/tmp/a', 'connection=socket,path=/tmp/b,name=b' ]
    p9 = [ 'tag=share,path=./files,security_model=none' ]
    pci = [ ]
    on_poweroff = "destroy"
    on_reboot = "destroy"
    on_crash = "restart"
  `;

  const { disks, networks, p9, displays, consoles, ...rest } = read(text);

  assert.equal(rest, {
    ...{ name: 'guest', kernel: 'vmlinuz', ramdisk: 'initrd.img', memory: 128 * 2 ** 20 },
    commandLine: 'root=/dev/xvda1 ro console=hvc0',
    actions: { poweroff: 'destroy', reboot: 'destroy', watchdog: 'destroy', crash: 'restart' },
  });
  assert.equal(
    consoles.map(({ id, socket, name }) => [id, socket, name]),
    [
      [1, '/tmp/a', undefined],
      [2, '/tmp/b', 'b'],
    ],
  );
  assert.equal(
    displays.map(({ vnc }) => vnc?.port),
    [5902, undefined],
  );
  assert.equal(p9, [{ tag: 'share', path: './files', isReadOnly: false }]);
  assert.equal(
    networks.map(({ mac, bridge }) => [mac, bridge]),
    [[Uint8Array.of(0, 0x16, 0x3e, 0, 0, 5), 'xenbr0']],
  );
  assert.equal(
    disks.map(({ vdev, path, mode, isCdrom }) => [vdev, path, mode, isCdrom]),
    [
      ['xvda', 'a.img', 'rw', false],
      ['xvdb', 'b.iso', 'ro', true],
    ],
  );
});

config('cmdline replaces root and extra, and a command line replaces all', () => {
  const text = `${least}root="a"\nextra="b"\ncmdline="c"\n`;

  assert.is(read(text).commandLine, 'c');
  assert.is(read(text, ['cmdline="d"']).commandLine, 'd');
  assert.is(read(`${least}extra="b"`).commandLine, 'b');
  assert.is(read(`${least}root="a"`).commandLine, 'root=a');
});

config('what cannot be had is named with its line', async () => {
  const wrong: readonly (readonly [string, string | RegExp])[] = [
    ['type="hvm"', 'guest.cfg:3:1: type="hvm" is not supported yet, only "pv"'],
    ['type="pvh"', 'guest.cfg:3:1: type="pvh" is not supported yet, only "pv"'],
    ['type="vm"', 'guest.cfg:3:1: no type "vm"; expected "pv"'],
    ['builder="hvm"', 'guest.cfg:3:1: builder="hvm" is not supported yet, only "generic"'],
    ['\nvif=[\n"mac=5"]', 'guest.cfg:5:1: 5: expected a MAC address, such as 00:16:3e:00:00:01'],
    [
      'vif=["rate=1"]',
      "guest.cfg:3:6: vif 'rate=1': no rate; there are mac, ip, bridge, script, vifname, type, model, gatewaydev",
    ],
    ['vnc=1', 'guest.cfg:3:1: vnc is not supported yet'],
    ['uuid="x"', 'guest.cfg:3:1: uuid is not supported yet'],
    ['colour="red"', 'guest.cfg:3:1: no key colour'],
    ['colour=[]', 'guest.cfg:3:1: no key colour'],
    ['vcpus=2', 'guest.cfg:3:1: vcpus=2 is not supported yet, only 1'],
    ['maxvcpus=4', 'guest.cfg:3:1: maxvcpus=4 is not supported yet, only 1'],
    ['memory="much"', 'guest.cfg:3:8: memory is ‘much’; expected a number'],
    ['memory=1f', 'guest.cfg:3:8: memory is ‘1f’; expected a number'],
    ['memory=[64]', 'guest.cfg:3:8: memory is a list; expected a single value'],
    ['memory=0', 'guest.cfg:3:1: memory=0 is too little'],
    ['memory=9000', 'guest.cfg:3:1: memory=9000 is too much; the most is 4080'],
    ['memory=64\nmaxmem=32', 'guest.cfg:4:1: maxmem=32 is less than memory=64'],
    ['memory=64\nmaxmem=128', /^guest.cfg:4:1: maxmem=128 is more than memory=64; ballooning/],
    ['disk="a,,xvda"', 'guest.cfg:3:6: disk is a single value; expected a list'],
    [
      'disk=[\n"a,,xvda",\n"b,vhd,xvdb"]',
      "guest.cfg:5:1: disk 'b,vhd,xvdb': format vhd is not supported, only raw and qcow2",
    ],
    ['disk=[["a"]]', 'guest.cfg:3:7: disk is a list; expected a single value'],
    [
      'on_crash="preserve"',
      'guest.cfg:3:1: on_crash: "preserve" is not supported yet, only "destroy" and "restart"',
    ],
    [
      'on_reboot="again"',
      'guest.cfg:3:1: on_reboot: no action "again"; expected "destroy" or "restart"',
    ],
    ['on_soft_reset="destroy"', 'guest.cfg:3:1: on_soft_reset is not supported yet'],
  ];
  for (const [text, message] of wrong) await assertRefused(() => read(`${least}${text}`), message);
});

config('a domain has a name and a kernel', async () => {
  await assertRefused(
    () => read('kernel="a"'),
    'guest.cfg: name must be given, such as name="guest"',
  );
  await assertRefused(() => read('name="a"'), /^guest.cfg: kernel must be given/);
  await assertRefused(() => read('name=""\nkernel="a"'), /^guest.cfg: name must be given/);
});

config('ends have the names that xl gives them', () => {
  const ends = [
    endKind({ reason: 'exit', status: 0 }),
    endKind({ reason: 'exit', status: 7 }),
    endKind({ reason: 'fault', status: 139 }),
    ...[0, 1, 2, 3, 4].map((status) => endKind({ reason: 'shutdown', status })),
    endKind({ reason: 'stopped', status: 130 }),
  ];

  const [poweroff, crash] = ['poweroff', 'crash'];
  assert.equal(ends, [
    ...[poweroff, crash, crash, poweroff, 'reboot', undefined, crash, 'watchdog', undefined],
  ]);
});

config.run();
