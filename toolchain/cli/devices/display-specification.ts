/** Where a domain's screen is shown: `--vnc` and `--screenshot`, and `vfb` of xl's cfg files (xl.cfg(5), vfb). */
import { UserError } from '../../../runtime/errors.ts';
import { parseIpv4 } from '../../../runtime/network/addresses.ts';
import { Settings } from './settings.ts';

export interface DisplaySpecification {
  readonly vnc: VncPlace | undefined;
  /** A PNG file, written when the domain has ended. */
  readonly screenshot: string | undefined;
}

export interface VncPlace {
  readonly address: string;
  readonly port: number;
}

/** The display's number counts from this port on. */
const firstPort = 5900;
const loopback = '127.0.0.1';

/** [ADDRESS]:DISPLAY, as other programs with VNC servers have it. */
export function parseVncOption(text: string): VncPlace {
  const [, address = '', display] = /^([\d.]*):(\d{1,5})$/.exec(text) ?? [];
  if (display === undefined)
    throw new UserError(`--vnc ${text}: expected [ADDRESS]:DISPLAY, such as :0`);
  return placeOf(`--vnc ${text}`, address || loopback, Number(display));
}

/** An entry of `vfb`; undefined where it is not to be shown by VNC. */
export function parseVfb(text: string): DisplaySpecification {
  const settings = new Settings(`vfb '${text}'`, text.split(','));
  const take = (name: string): string | undefined => settings.one(name) || undefined;
  const [isShown, listen, display] = ['vnc', 'vnclisten', 'vncdisplay'].map(take);
  for (const name of ['vncunused', 'sdl', 'opengl']) {
    const value = take(name) ?? '0';
    if (value !== '0') settings.refuse(`${name}=${value} is not supported yet, only 0`);
  }
  if (take('vncpasswd') !== undefined) settings.refuse('vncpasswd is not supported yet');
  settings.finish('vnc, vnclisten, vncdisplay');
  if (isShown === '0') return { vnc: undefined, screenshot: undefined };
  const [address = loopback, inAddress] = (listen ?? loopback).split(':');
  const number = Number(display ?? inAddress ?? 0);
  return { vnc: placeOf(`vfb '${text}'`, address, number), screenshot: undefined };
}

function placeOf(where: string, address: string, display: number): VncPlace {
  parseIpv4(address);
  const port = firstPort + display;
  if (!Number.isInteger(display) || port > 0xffff)
    throw new UserError(`${where}: no display ${display}`);
  return { address, port };
}
