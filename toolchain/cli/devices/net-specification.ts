/** A network interface as `--net` has it, and as xl's cfg files have it (xl-network-configuration(5)). */
import { UserError } from '../../../runtime/errors.ts';
import { parseIpv4, parseMac } from '../../../runtime/network/addresses.ts';
import type { Forward } from '../../../runtime/network/user-network.ts';
import { Settings } from './settings.ts';

/** User-mode networking is what is behind all of them. */
export interface NetSpecification {
  /** Undefined: one of Xen's, by the interface's number. */
  readonly mac: Uint8Array | undefined;
  /** For front-ends that take it from the store. */
  readonly ip: string | undefined;
  /** Interfaces of one bridge are stations of one network. */
  readonly bridge: string | undefined;
  readonly forwards: readonly Forward[];
  readonly outside: boolean;
  readonly restricted: boolean;
  /** A folder. */
  readonly tftp: string | undefined;
  readonly bootFile: string | undefined;
  /** A pcapng file. */
  readonly capture: string | undefined;
}

export function parseNetOption(text: string): NetSpecification {
  const [kind, ...rest] = text.split(',');
  if (kind !== 'user')
    throw new UserError(`--net ${text}: expected user, such as --net user,forward=8080:80`);
  const settings = new Settings(`--net ${text}`, rest);
  const forwards = settings.all('forward').map((value) => parseForward(`--net ${text}`, value));
  const flags = { outside: settings.flag('outside'), restricted: settings.flag('restrict') };
  if (flags.outside && flags.restricted) settings.refuse('outside and restrict exclude each other');
  const tftp = settings.one('tftp');
  const bootFile = settings.one('bootfile');
  if (bootFile !== undefined && tftp === undefined)
    settings.refuse('bootfile needs tftp=FOLDER to come from');
  const specification = {
    ...{ mac: macOf(settings), ip: undefined, bridge: undefined, ...flags },
    ...{ forwards, tftp, bootFile, capture: settings.one('capture') },
  };
  settings.finish('forward, outside, restrict, tftp, bootfile, mac, capture');
  return specification;
}

/** An entry of `vif`. What only matters where a kernel's bridges are is taken as it is. */
export function parseVif(text: string): NetSpecification {
  const settings = new Settings(`vif '${text}'`, text.split(','));
  const mac = macOf(settings);
  const ip = settings.one('ip');
  const bridge = settings.one('bridge');
  for (const name of ['script', 'vifname', 'type', 'model', 'gatewaydev']) settings.one(name);
  settings.finish('mac, ip, bridge, script, vifname, type, model, gatewaydev');
  return {
    ...{ mac, ip, bridge, forwards: [], outside: false, restricted: false },
    ...{ tftp: undefined, bootFile: undefined, capture: undefined },
  };
}

function macOf(settings: Settings): Uint8Array | undefined {
  const text = settings.one('mac');
  return text === undefined ? undefined : parseMac(text);
}

/** [tcp:|udp:][ADDRESS:]PORT:GUESTPORT; the address is the host's loopback where none is given. */
function parseForward(where: string, text: string): Forward {
  const [, protocol = 'tcp', address = '127.0.0.1', port = '', guestPort = ''] =
    /^(?:(tcp|udp):)?(?:(\d[\d.]*):)?(\d{1,5}):(\d{1,5})$/.exec(text) ?? [];
  const isPort = (value: string): boolean => value !== '' && Number(value) < 0x1_0000;
  if (!isPort(port) || !isPort(guestPort) || Number(guestPort) === 0)
    throw new UserError(
      `${where}: forward=${text}: expected [udp:][ADDRESS:]PORT:GUESTPORT, such as 8080:80`,
    );
  parseIpv4(address);
  return {
    protocol: protocol === 'udp' ? 'udp' : 'tcp',
    ...{ address, port: Number(port), guestPort: Number(guestPort) },
  };
}
