/** What the keys of a cfg file mean (xl.cfg(5)): those that can be had so far. Each other one is refused with its line. */
import type { Ending } from '../../runtime/domain/domain.ts';
import { UserError } from '../../runtime/errors.ts';
import { mostGuestBytes } from '../../runtime/memory/machine-memory.ts';
import { type ConsoleOption, parseChannel } from './devices/console-specification.ts';
import { type DiskSpecification, parseDiskSpecification } from './devices/disk-specification.ts';
import { type DisplaySpecification, parseVfb } from './devices/display-specification.ts';
import { type NetSpecification, parseVif } from './devices/net-specification.ts';
import { type P9FolderSpecification, parseP9 } from './devices/p9-specification.ts';
import type { Cfg, CfgSetting, CfgValue } from './xl-cfg.ts';
import { isXlKey } from './xl-keys.ts';

export type EndAction = 'destroy' | 'restart';
export type EndKind = 'poweroff' | 'reboot' | 'watchdog' | 'crash';

export interface DomainConfig {
  readonly name: string;
  readonly kernel: string;
  readonly ramdisk: string | undefined;
  readonly commandLine: string | undefined;
  /** Bytes. */
  readonly memory: number;
  readonly disks: readonly DiskSpecification[];
  readonly networks: readonly NetSpecification[];
  readonly p9: readonly P9FolderSpecification[];
  readonly displays: readonly DisplaySpecification[];
  readonly consoles: readonly ConsoleOption[];
  readonly actions: Readonly<Record<EndKind, EndAction>>;
}

/** libxl's, where no `memory` is given. */
const defaultMegabytes = 32;

export function readConfig(cfg: Cfg, file: string): DomainConfig {
  for (const [key, setting] of cfg) checkKey(key, setting);
  const text = (key: string): string | undefined => onSetting(cfg, key, textOf);
  const must = (key: string, example: string): string => {
    const found = text(key);
    if (!found) throw new UserError(`${file}: ${key} must be given, such as ${key}="${example}"`);
    return found;
  };
  checkType(cfg);
  checkOne(cfg, 'vcpus');
  checkOne(cfg, 'maxvcpus');
  return {
    name: must('name', 'guest'),
    kernel: must('kernel', 'image.elf'),
    ramdisk: text('ramdisk') || undefined,
    commandLine: commandLineOf(text),
    memory: memoryOf(cfg),
    disks: onSetting(cfg, 'disk', disksOf) ?? [],
    networks: onSetting(cfg, 'vif', vifsOf) ?? [],
    p9: onSetting(cfg, 'p9', p9Of) ?? [],
    displays: onSetting(cfg, 'vfb', vfbsOf) ?? [],
    consoles: onSetting(cfg, 'channel', channelsOf) ?? [],
    actions: {
      poweroff: actionOf(cfg, 'on_poweroff') ?? 'destroy',
      reboot: actionOf(cfg, 'on_reboot') ?? 'restart',
      watchdog: actionOf(cfg, 'on_watchdog') ?? 'destroy',
      crash: actionOf(cfg, 'on_crash') ?? 'destroy',
    },
  };
}

/** What xl would call the end of a domain; undefined where it has none of its own, such as Ctrl-]. */
export function endKind({ reason, status }: Ending): EndKind | undefined {
  switch (reason) {
    case 'fault':
      return 'crash';
    case 'exit':
      return status === 0 ? 'poweroff' : 'crash';
    case 'shutdown':
      return ({ 0: 'poweroff', 1: 'reboot', 3: 'crash', 4: 'watchdog' } as const)[status];
    case 'stopped':
      return undefined;
  }
}

// biome-ignore format: a list
const keys = new Set([
  'name', 'kernel', 'ramdisk', 'cmdline', 'extra', 'root', 'memory', 'maxmem', 'vcpus', 'maxvcpus', 'disk', 'vif', 'vfb', 'p9', 'channel', 'type', 'builder',
  'on_poweroff', 'on_reboot', 'on_watchdog', 'on_crash',
]);

/** A list without entries asks for nothing. */
function checkKey(key: string, { value, place }: CfgSetting): void {
  if (keys.has(key)) return;
  if (!isXlKey(key)) throw new UserError(`${place}: no key ${key}`);
  if (value.kind === 'list' && value.values.length === 0) return;
  throw new UserError(`${place}: ${key} is not supported yet`);
}

function onSetting<T>(
  cfg: Cfg,
  key: string,
  read: (value: CfgValue, key: string) => T,
): T | undefined {
  const setting = cfg.get(key);
  return setting === undefined ? undefined : read(setting.value, key);
}

function textOf(value: CfgValue, key: string): string {
  if (value.kind === 'text') return value.text;
  throw new UserError(`${value.place}: ${key} is a list; expected a single value`);
}

/** As strtol(3) reads it. */
function numberOf(value: CfgValue, key: string): number {
  const text = textOf(value, key);
  const isOctal = /^0[0-7]+$/.test(text);
  if (!isOctal && !/^(0|[1-9]\d*|0x[0-9a-f]+)$/i.test(text))
    throw new UserError(`${value.place}: ${key} is ‘${text}’; expected a number`);
  return isOctal ? Number.parseInt(text, 8) : Number(text);
}

function checkType(cfg: Cfg): void {
  const type = onSetting(cfg, 'type', textOf);
  const builder = onSetting(cfg, 'builder', textOf);
  const place = (key: string): string => cfg.get(key)?.place ?? '';
  if (type === 'hvm' || type === 'pvh')
    throw new UserError(`${place('type')}: type="${type}" is not supported yet, only "pv"`);
  if (builder === 'hvm')
    throw new UserError(`${place('builder')}: builder="hvm" is not supported yet, only "generic"`);
  if (type !== undefined && type !== 'pv')
    throw new UserError(`${place('type')}: no type "${type}"; expected "pv"`);
  if (builder !== undefined && builder !== 'generic' && builder !== 'linux')
    throw new UserError(`${place('builder')}: no builder "${builder}"; expected "generic"`);
}

function checkOne(cfg: Cfg, key: string): void {
  const count = onSetting(cfg, key, numberOf);
  if (count !== undefined && count !== 1)
    throw new UserError(`${cfg.get(key)?.place}: ${key}=${count} is not supported yet, only 1`);
}

/** `cmdline` replaces the two older keys. */
function commandLineOf(text: (key: string) => string | undefined): string | undefined {
  const [whole, root, extra] = [text('cmdline'), text('root'), text('extra')];
  if (whole !== undefined) return whole;
  const parts = [...(root ? [`root=${root}`] : []), ...(extra ? [extra] : [])];
  return parts.length === 0 ? undefined : parts.join(' ');
}

function memoryOf(cfg: Cfg): number {
  const [memory, maxmem] = [onSetting(cfg, 'memory', numberOf), onSetting(cfg, 'maxmem', numberOf)];
  const megabytes = memory ?? maxmem ?? defaultMegabytes;
  const place = cfg.get(memory === undefined ? 'maxmem' : 'memory')?.place;
  const most = Math.floor(mostGuestBytes / 2 ** 20);
  if (megabytes === 0) throw new UserError(`${place}: memory=0 is too little`);
  if (megabytes > most)
    throw new UserError(`${place}: memory=${megabytes} is too much; the most is ${most}`);
  if (maxmem !== undefined && maxmem !== megabytes)
    throw new UserError(
      maxmem < megabytes
        ? `${cfg.get('maxmem')?.place}: maxmem=${maxmem} is less than memory=${megabytes}`
        : `${cfg.get('maxmem')?.place}: maxmem=${maxmem} is more than memory=${megabytes}; ballooning is not supported yet`,
    );
  return megabytes * 2 ** 20;
}

const disksOf = (value: CfgValue): DiskSpecification[] =>
  listOf(value, 'disk', parseDiskSpecification);
const vfbsOf = (value: CfgValue): DisplaySpecification[] => listOf(value, 'vfb', parseVfb);
/** Numbered behind the first console, as libxl does. */
const channelsOf = (value: CfgValue): ConsoleOption[] =>
  listOf(value, 'channel', parseChannel).map((channel, n) => ({ id: n + 1, ...channel }));
const p9Of = (value: CfgValue): P9FolderSpecification[] => listOf(value, 'p9', parseP9);
const vifsOf = (value: CfgValue): NetSpecification[] => listOf(value, 'vif', parseVif);

/** Each entry's own place in front of what is wrong with it. */
function listOf<T>(value: CfgValue, key: string, parse: (text: string) => T): T[] {
  if (value.kind !== 'list')
    throw new UserError(`${value.place}: ${key} is a single value; expected a list`);
  return value.values.map((one) => {
    const text = textOf(one, key);
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(`${one.place}: ${error.message}`);
    }
  });
}

const otherActions = new Set([
  ...['rename-restart', 'preserve', 'coredump-destroy', 'coredump-restart', 'soft-reset'],
]);

function actionOf(cfg: Cfg, key: string): EndAction | undefined {
  const action = onSetting(cfg, key, textOf);
  if (action === undefined || action === 'destroy' || action === 'restart') return action;
  const what = otherActions.has(action)
    ? `"${action}" is not supported yet, only "destroy" and "restart"`
    : `no action "${action}"; expected "destroy" or "restart"`;
  throw new UserError(`${cfg.get(key)?.place}: ${key}: ${what}`);
}
