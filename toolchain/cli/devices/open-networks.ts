/** Opens the networks of a domain: all of them, or none. */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import type { NetDeviceSpecification } from '../../../runtime/backends/net/net-device.ts';
import { systemClock } from '../../../runtime/domain/clock.ts';
import { UserError } from '../../../runtime/errors.ts';
import { nodeSockets } from '../../../runtime/host/node/host-sockets.ts';
import { TftpFolder } from '../../../runtime/host/node/tftp-folder.ts';
import type { Link } from '../../../runtime/network/frame.ts';
import { captured } from '../../../runtime/network/pcapng.ts';
import { NetworkSwitch } from '../../../runtime/network/switch.ts';
import { UserNetwork } from '../../../runtime/network/user-network.ts';
import type { NetSpecification } from './net-specification.ts';

export interface OpenNetworks {
  readonly devices: readonly NetDeviceSpecification[];
  close(): void;
}

export async function openNetworks(
  specifications: readonly NetSpecification[],
  log: (line: string) => void,
): Promise<OpenNetworks> {
  const closers: (() => void)[] = [];
  const close = (): void => {
    for (const closer of closers) closer();
  };
  const bridges = new Map<string, NetworkSwitch>();
  const devices: NetDeviceSpecification[] = [];
  try {
    for (const [handle, specification] of specifications.entries()) {
      const { bridge, mac = ownMac(handle), ip, capture } = specification;
      const key = bridge ?? `vif ${handle}`;
      const known = bridges.get(key);
      const network = known ?? new NetworkSwitch();
      bridges.set(key, network);
      if (known === undefined) closers.push(await openNetwork(network, specification, log));
      const port = network.plug();
      const link = capture === undefined ? port : captureTo(capture, port, closers);
      devices.push({ handle, mac, link, ip, bridge });
    }
  } catch (error) {
    close();
    throw error;
  }
  return { devices, close };
}

async function openNetwork(
  network: NetworkSwitch,
  { outside, restricted, tftp, bootFile, forwards }: NetSpecification,
  log: (line: string) => void,
): Promise<() => void> {
  const user = new UserNetwork({
    ...{ link: network.plug(), clock: systemClock(), sockets: nodeSockets, log },
    ...{ outside, restricted, random: () => randomBytes(4).readUInt32LE() },
    ...(tftp === undefined ? {} : { tftp: { files: new TftpFolder(tftp), bootFile } }),
  });
  try {
    for (const forward of forwards) await user.forward(forward);
  } catch (error) {
    user.close();
    throw error;
  }
  return () => user.close();
}

function captureTo(path: string, link: Link, closers: (() => void)[]): Link {
  let file: number;
  try {
    file = openSync(path, 'w');
  } catch (cause) {
    throw new UserError(`${path}: cannot be written`, { cause });
  }
  closers.push(() => closeSync(file));
  return captured(link, (bytes) => void writeSync(file, bytes), systemClock(), path);
}

/** Of Xen's own range of vendors' numbers. */
const ownMac = (handle: number): Uint8Array => Uint8Array.of(0x00, 0x16, 0x3e, 0, 0, handle + 1);
