/**
 * What a person does at GRUB's console, key by key, with Debian's images and with small ones of grub-mkimage. Each session
 * was held on Xen, too; what it showed there is in tests/golden/grub.
 */
import type { Width } from '../../runtime/memory/layout.ts';
import { debianGrub, makeGrub } from './grub.ts';
import { random } from './random.ts';

export interface Step {
  /** What the screen shows before anything is typed. */
  readonly see: string;
  readonly type: string;
}

export interface GrubSession {
  readonly name: string;
  readonly image: (width: Width) => Promise<Uint8Array>;
  /** Whether it has the disk of `sessionFiles` as xvda. */
  readonly disk: boolean;
  readonly steps: readonly Step[];
  /** Xen's trace buffers are full before a long one ends, since GRUB waits by yields: its hypercalls are those of the session named. */
  readonly callsOf?: string;
  /** Printed last, without an event for it: on Xen nobody reads it any more, here it is shown. */
  readonly leaves?: string;
  /** Its exit status: Xen's shutdown reason. */
  readonly status: 0 | 1;
}

const menu = `
set timeout=-1
menuentry 'Say hello' {
  cat /hello.txt
  echo -n "Who is there? "
  read name
  echo "Hello, $name."
  sleep 1
}
menuentry 'Hash a file' {
  sha256sum /noise
  read
}
menuentry 'Halt' { halt }
menuentry 'Reboot' { reboot }
`;

const countdown = `
set timeout=3
set default=1
menuentry 'Never' { echo never }
menuentry 'Reboot in a moment' { echo "going down"; reboot }
`;

/** 100 KB: a second of reading on Xen under QEMU. */
export const noise = random(11).bytes(100_000);

export const sessionFiles: Readonly<Record<string, string | Uint8Array>> = {
  'boot/grub/grub.cfg': menu,
  'boot/grub/grubenv': '# GRUB Environment Block\n'.padEnd(1024, '#'),
  'countdown.cfg': countdown,
  'hello.txt': 'hello from a file\n',
  'deep/er/file': 'deep\n',
  noise,
};

const [up, down, left, end, leave] = ['\x1b[A', '\x1b[B', '\x1b[D', '\x1b[F', '\x1b'];
const [tab, control_x] = ['\t', '\x18'];
const prompt = 'grub>';

const menuWords = ['*Say hello', '*Hash a file', '*Halt', '*Reboot'] as const;

// biome-ignore format: a line a step
const atTheMenu: readonly Step[] = [
  { see: menuWords[0], type: down },
  { see: menuWords[1], type: down },
  { see: menuWords[2], type: up },
  { see: menuWords[1], type: '\r' },
  { see: '  /noise', type: '\r' },
  { see: menuWords[0], type: 'e' },
  { see: 'echo -n "Who is there? "', type: `${down}${end}echo edjted` },
  { see: 'edjted', type: `${left}${left}${left}${left}\x04i` },
  { see: 'edited', type: control_x },
  { see: 'Booting a command list', type: 'nobody\r' },
  { see: 'echo edited', type: leave },
  { see: menuWords[0], type: 'c' },
  { see: prompt, type: 'ls\r' },
  { see: '(xen/xvda)', type: `ls (xen/xvda)/de${tab}` },
  { see: '/deep/', type: '\r' },
  { see: 'er/', type: 'cat /deep/er/file\r' },
  { see: '\ndeep', type: 'sha256sum /noise\r' },
  { see: '  /noise', type: 'set tries=one\r' },
  { see: 'set tries=one', type: 'save_env -f (xen/xvda)/boot/grub/grubenv tries\r' },
  { see: 'grubenv tries', type: 'list_env -f (xen/xvda)/boot/grub/grubenv\r' },
  { see: '\ntries=one', type: 'nonsense\r' },
  { see: "can't find command", type: `${up}${up}` },
  { see: `${prompt} list_env`, type: leave },
  { see: menuWords[0], type: 'c' },
];

/** Everything that a person can do, and at last `halt`. */
const whole: readonly Step[] = [...atTheMenu, { see: prompt, type: 'halt\r' }];

// biome-ignore format: a line a step
const brief: readonly Step[] = [
  { see: menuWords[0], type: down },
  { see: menuWords[1], type: down },
  { see: menuWords[2], type: 'e' },
  { see: "setparams 'Halt'", type: leave },
  { see: menuWords[2], type: 'c' },
  { see: prompt, type: 'cat /deep/er/file\r' },
  { see: '\ndeep', type: 'halt\r' },
];

/** The menu is left: the cursor shows, and the screen is empty. */
const cleared = '\x1b[?25h\x1b[H\x1b[J\x1b[1;1H\x1b[H\x1b[J\x1b[1;1H';

const common = ['echo', 'ls', 'cat', 'ext2', 'hashsum', 'gcry_sha256', 'halt', 'reboot'];

const tinyDisk = `
ls (xen/xvda)/
cat (xen/xvda)/deep/er/file
cat (xen/xvda)/hello.txt
sha256sum (xen/xvda)/noise
cat (xen/xvda)/none
echo done
reboot
`;

// biome-ignore format: a line a session
export const grubSessions: readonly GrubSession[] = [
  { name: 'debian', image: debianGrub, disk: true, steps: whole, status: 0, callsOf: 'debian-reboot' },
  {
    name: 'debian-reboot', image: debianGrub, disk: true, status: 1, leaves: cleared,
    steps: [{ see: menuWords[0], type: `${up}${end}` }, { see: menuWords[3], type: '\r' }],
  },
  { name: 'hello', image: (width) => makeGrub(width, 'echo hello from grub\nhalt\n', ['echo', 'halt']), disk: false, steps: [], status: 0 },
  { name: 'files', image: (width) => makeGrub(width, tinyDisk, common), disk: true, steps: [], status: 1 },
  {
    name: 'countdown', disk: true, steps: [], status: 1,
    image: (width) => makeGrub(width, 'normal (xen/xvda)/countdown.cfg\n', [...common, 'normal', 'configfile']),
  },
  {
    name: 'menu', disk: true, steps: brief, status: 0, callsOf: 'countdown',
    image: (width) => makeGrub(width, 'set root=xen/xvda\nnormal (xen/xvda)/boot/grub/grub.cfg\n', [
      ...common, 'normal', 'configfile', 'read', 'sleep', 'loadenv', 'test',
    ]),
  },
];
