/** A network interface as `--net` has it, and as xl's cfg files have it (xl-network-configuration(5)). */
import { UserError } from '../../runtime/errors.ts';
import { parseIpv4, parseMac } from '../../runtime/network/addresses.ts';
import type { Forward } from '../../runtime/network/user-network.ts';

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
  const [kind, ...settings] = text.split(',');
  if (kind !== 'user')
    throw new UserError(`--net ${text}: expected user, such as --net user,forward=8080:80`);
  const draft = new Draft(`--net ${text}`, settings);
  const forwards = draft.all('forward').map((value) => parseForward(`--net ${text}`, value));
  const flags = { outside: draft.flag('outside'), restricted: draft.flag('restrict') };
  if (flags.outside && flags.restricted)
    throw new UserError(`--net ${text}: outside and restrict exclude each other`);
  const tftp = draft.one('tftp');
  const bootFile = draft.one('bootfile');
  if (bootFile !== undefined && tftp === undefined)
    throw new UserError(`--net ${text}: bootfile needs tftp=FOLDER to come from`);
  const rest = { mac: macOf(draft), ip: undefined, bridge: undefined };
  const specification = {
    ...rest,
    ...flags,
    forwards,
    tftp,
    bootFile,
    capture: draft.one('capture'),
  };
  draft.finish('forward, outside, restrict, tftp, bootfile, mac, capture');
  return specification;
}

/** An entry of `vif`. What only matters where a kernel's bridges are is taken as it is. */
export function parseVif(text: string): NetSpecification {
  const draft = new Draft(`vif '${text}'`, text === '' ? [] : text.split(','));
  const mac = macOf(draft);
  const ip = draft.one('ip');
  const bridge = draft.one('bridge');
  for (const name of ['script', 'vifname', 'type', 'model', 'gatewaydev']) draft.one(name);
  draft.finish('mac, ip, bridge, script, vifname, type, model, gatewaydev');
  return {
    ...{ mac, ip, bridge, forwards: [], outside: false, restricted: false },
    ...{ tftp: undefined, bootFile: undefined, capture: undefined },
  };
}

/** NAME=VALUE settings, each of which is to be asked for. */
class Draft {
  readonly #where: string;
  readonly #values = new Map<string, string[]>();

  constructor(where: string, settings: readonly string[]) {
    this.#where = where;
    for (const setting of settings) {
      const at = setting.indexOf('=');
      const name = (at < 0 ? setting : setting.slice(0, at)).trim();
      const value = at < 0 ? 'on' : setting.slice(at + 1).trim();
      this.#values.set(name, [...(this.#values.get(name) ?? []), value]);
    }
  }

  all(name: string): string[] {
    const values = this.#values.get(name) ?? [];
    this.#values.delete(name);
    return values;
  }

  one(name: string): string | undefined {
    const [value, second] = this.all(name);
    if (second !== undefined) throw new UserError(`${this.#where}: ${name} is given twice`);
    return value;
  }

  flag(name: string): boolean {
    const value = this.one(name) ?? 'off';
    if (value === 'on' || value === 'off') return value === 'on';
    throw new UserError(`${this.#where}: ${name}=${value}: expected on or off`);
  }

  finish(known: string): void {
    const [name] = this.#values.keys();
    if (name !== undefined) throw new UserError(`${this.#where}: no ${name}; there are ${known}`);
  }
}

function macOf(draft: Draft): Uint8Array | undefined {
  const text = draft.one('mac');
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
