/** Disk specifications, against the forms and defaults of xl-disk-configuration(5). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type DiskSpecification,
  parseDiskOption,
  parseDiskSpecification,
} from '../../../../toolchain/cli/devices/disk-specification.ts';
import { assertRefused } from '../../../support/assert-refused.ts';

const disks = suite('toolchain/cli/devices/disk-specification');

const plain = {
  format: 'raw',
  isCdrom: false,
  discards: undefined,
  isDirectIoSafe: false,
} as const;

const same = (expected: DiskSpecification, texts: readonly string[]): void => {
  for (const text of texts) assert.equal(parseDiskSpecification(text), expected, text);
};

disks('the manual’s four ways to say the same disk', () => {
  same({ ...plain, vdev: 'hda', path: '/dev/vg/guest-volume', mode: 'rw' }, [
    '/dev/vg/guest-volume,,hda',
    '/dev/vg/guest-volume,raw,hda,rw',
    'format=raw, vdev=hda, access=rw, target=/dev/vg/guest-volume',
    'raw:/dev/vg/guest-volume,hda,w',
  ]);
});

disks('the manual’s five ways to say the same CD-ROM', () => {
  same({ ...plain, vdev: 'hdc', path: '/root/image.iso', mode: 'ro', isCdrom: true }, [
    '/root/image.iso,,hdc,cdrom',
    '/root/image.iso,,hdc,,cdrom',
    '/root/image.iso,raw,hdc,devtype=cdrom',
    'format=raw, vdev=hdc, access=ro, devtype=cdrom, target=/root/image.iso',
    'raw:/root/image.iso,hdc:cdrom,ro',
  ]);
});

disks('old prefixes are nothing, and names and flags may come in any order', () => {
  same({ ...plain, vdev: 'xvda', path: 'disk.img', mode: 'rw' }, [
    'file:disk.img,xvda,w',
    'tap:aio:disk.img,xvda,w',
    'tap2:tapdisk:raw:disk.img,xvda',
    'phy:disk.img,xvda:disk,rw',
    'vdev=xvda,disk.img',
    'disk.img,access=w,,xvda',
    'trusted,no-colo,specification=xen,disk.img,raw,vdev=xvda',
    'disk.img,,xvda,rw,backendtype=qdisk',
    ',,xvda,target=disk.img',
    '  disk.img,  raw,\txvda',
  ]);
});

disks('qcow2 is said in any of the ways', () => {
  same({ ...plain, vdev: 'xvda', path: 'disk.img', format: 'qcow2', mode: 'rw' }, [
    'disk.img,qcow2,xvda',
    'qcow2:disk.img,xvda,w',
    'tap:qcow2:disk.img,xvda,w',
    'format=qcow2,vdev=xvda,target=disk.img',
  ]);
  assert.is(parseDiskSpecification('disk.qcow2,,xvda').format, 'raw', 'as xl has it');
  assert.is(parseDiskOption('xvda=disk.qcow2:ro').format, 'qcow2');
});

disks('a CD-ROM drive may be empty, in old ways and new', () => {
  same({ ...plain, vdev: 'hdc', path: undefined, mode: 'ro', isCdrom: true }, [
    ',hdc:cdrom,r',
    ',,hdc,cdrom',
    ',empty,hdc,r,cdrom',
    'format=empty,vdev=hdc,devtype=cdrom',
    'vdev=hdc,access=ro,devtype=cdrom,target=',
  ]);
});

disks('flags are kept', () => {
  const { discards, isDirectIoSafe, mode } = parseDiskSpecification(
    'a,,xvda,r,no-discard,direct-io-safe',
  );

  assert.equal([discards, isDirectIoSafe, mode], [false, true, 'ro']);
  assert.is(parseDiskSpecification('a,,xvda,discard').discards, true);
});

disks('target= takes all the rest, whatever is in it', () => {
  assert.is(parseDiskSpecification('vdev=xvda,target=a,b:c=d ').path, 'a,b:c=d ');
});

disks('what is wrong or not supported is told', async () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['a,qcow,xvda', /^disk 'a,qcow,xvda': format qcow is not supported, only raw and qcow2$/],
    ['vhd:a,xvda,w', /format vhd is not supported, only raw and qcow2/],
    ['a,nope,xvda', /no format nope/],
    ['a,,', /names no device/],
    ['a', /names no device/],
    [',,xvda', /names no target/],
    ['', /names no device/],
    ['a,,xvdz9999', /no device xvdz9999/],
    ['a,,xvda,x', /no access x; expected rw, w, ro or r/],
    ['a,raw,xvda,rw,more', /more is one parameter too many/],
    ['a,,xvda,vdev=xvdb', /vdev is given twice, xvda and xvdb/],
    ['a,,xvda,access=r,access=w', /access is given twice/],
    ['a,,xvda,devtype=floppy', /no device type floppy/],
    ['a,,hda:floppy', /no device type floppy/],
    ['a,,xvda,backend=other', /backend= is not supported yet/],
    ['a,,xvda,script=block-x', /script= is not supported yet/],
    ['nbd:a,xvda', /scripts \(nbd:\) are not supported yet/],
    ['sftp:a,xvda', /no prefix sftp:/],
    ['a,,xvda,backendtype=standalone', /backendtype=standalone is not supported/],
    ['a,,xvda,specification=virtio', /specification=virtio is not supported/],
    ['a,,xvda,colour=red', /no parameter colour/],
    ['a,,xvda,colo', /colo is not supported/],
    ['a,,xvda,untrusted', /untrusted is not supported yet/],
    ['a,empty,hdc,,cdrom', /format=empty, and a target, a/],
    ['format=empty,vdev=xvda', /names no target, and only a CD-ROM drive may be empty/],
    ['target=a,vdev=xvda', /since target= takes all that is behind it; put it last/],
    ['a,,hdc,,cdrom,toString=1', /no parameter toString/],
  ];
  for (const [text, message] of wrong)
    await assertRefused(() => parseDiskSpecification(text), message);
});

disks('--disk has a name, a file, and how it may be used', () => {
  const parsed = ['xvda=a', 'sda1=a:ro', 'd2=a:cow', 'xvda=a:b=c', 'xvda=a:ro:rw'].map(
    parseDiskOption,
  );

  assert.equal(parsed, [
    { ...plain, vdev: 'xvda', path: 'a', mode: 'rw' },
    { ...plain, vdev: 'sda1', path: 'a', mode: 'ro' },
    { ...plain, vdev: 'd2', path: 'a', mode: 'cow' },
    { ...plain, vdev: 'xvda', path: 'a:b=c', mode: 'rw' },
    { ...plain, vdev: 'xvda', path: 'a:ro', mode: 'rw' },
  ]);
});

disks('--disk without one of them is refused', async () => {
  for (const text of ['disk.img', '=disk.img', 'xvda=', 'xvda=:ro', ''])
    await assertRefused(() => parseDiskOption(text), /^--disk .*: expected NAME=FILE/);
  await assertRefused(
    () => parseDiskOption('vda=disk.img'),
    /^--disk vda=disk.img: no device vda;/,
  );
});

disks.run();
