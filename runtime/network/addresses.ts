/** MAC and IPv4 addresses: as text for people, as numbers for tables. */
import { UserError } from '../errors.ts';

/** 32 bits, the first octet highest. */
export type Ipv4Address = number;

export function parseIpv4(text: string): Ipv4Address {
  const octets = text.split('.').map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  if (octets.length !== 4 || octets.some((octet) => octet > 255))
    throw new UserError(`${text}: expected an IPv4 address, such as 10.0.2.15`);
  return octets.reduce((address, octet) => address * 256 + octet, 0);
}

export const ipv4Text = (address: Ipv4Address): string =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');

/** Six bytes. */
export function parseMac(text: string): Uint8Array {
  const parts = text.split(':');
  if (parts.length !== 6 || parts.some((part) => !/^[0-9a-f]{1,2}$/i.test(part)))
    throw new UserError(`${text}: expected a MAC address, such as 00:16:3e:00:00:01`);
  return Uint8Array.from(parts, (part) => Number.parseInt(part, 16));
}

export const macText = (mac: Uint8Array): string =>
  [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':');

/** For tables. */
export const macNumber = (mac: Uint8Array): number =>
  mac.reduce((number, byte) => number * 256 + byte, 0);

export const broadcastMac = new Uint8Array(6).fill(0xff);

/** Group addresses have the lowest bit of the first octet set; broadcast is one. */
export const isGroupMac = (mac: Uint8Array): boolean => ((mac[0] ?? 0) & 1) === 1;
