/** Values of structs and arguments as a trace shows them: names for what the headers name, page numbers and addresses in hex. */
import { GNTCOPY, GNTMAP, GNTST } from '../../abi/grant-table.ts';
import { SHUTDOWN } from '../../abi/sched.ts';
import { RUNSTATE } from '../../abi/vcpu.ts';
import { DOMID, VIRQ } from '../../abi/xen.ts';

type Names = Readonly<Record<string, number>>;
export type Show = (value: bigint) => string;

/** Above it a number is more likely an address or a set of bits than a count. */
const mostDecimal = 0xffffn;

export const number: Show = (value) =>
  value <= mostDecimal ? value.toString() : `0x${value.toString(16)}`;

export const hex: Show = (value) => (value === 0n ? '0' : `0x${value.toString(16)}`);

export const named =
  (names: Names): Show =>
  (value) =>
    Object.entries(names).find(([, known]) => BigInt(known) === value)?.[0] ?? number(value);

/** Names of all bits, and what has none. */
export const flags =
  (names: Names): Show =>
  (value) => {
    const set = Object.entries(names).filter(([, bit]) => (value & BigInt(bit)) !== 0n);
    const rest = set.reduce((left, [, bit]) => left & ~BigInt(bit), value);
    const words = [...set.map(([name]) => name), ...(rest === 0n ? [] : [hex(rest)])];
    return words.length === 0 ? '0' : words.join('|');
  };

/** DOMID_SELF and its like; others by number. */
export const domid: Show = (value) => {
  const { FIRST_RESERVED, ...names } = DOMID;
  return value < BigInt(FIRST_RESERVED) ? value.toString() : named(names)(value);
};

/** Fields that are shown alike wherever they are; those of one struct alone are named `struct.field`. */
const fields: Readonly<Record<string, Show>> = {
  ...{ dom: domid, domid, remote_dom: domid, domain_id: domid },
  ...{ host_addr: hex, new_addr: hex, dev_bus_addr: hex, addr: hex, ptr: hex, val: hex, mfn: hex },
  ...{ extent_start: hex, frame_list: hex, bitmap: hex, buffer: hex, ports: hex, u: hex },
  status: named(GNTST),
  virq: named(VIRQ),
  'gnttab_map_grant_ref.flags': flags(GNTMAP),
  'gnttab_copy.flags': flags(GNTCOPY),
  'sched_shutdown.reason': named(SHUTDOWN),
  'sched_remote_shutdown.reason': named(SHUTDOWN),
  'vcpu_runstate_info.state': named(RUNSTATE),
  'evtchn_status.status': number,
};

function fieldText(struct: string, field: string, value: unknown): string {
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value)
      ? `[${value.map((one) => fieldText(struct, field, one)).join(' ')}]`
      : `{${fieldTexts(struct, value)
          .map(([name, text]) => `${name}:${text}`)
          .join(' ')}}`;
  if (typeof value !== 'number' && typeof value !== 'bigint') return String(value);
  const show = fields[`${struct}.${field}`] ?? fields[field] ?? number;
  return show(BigInt(value));
}

/** A struct's fields in their order; `view` is of a copy. */
export function fieldTexts(struct: string, view: object): (readonly [string, string])[] {
  const texts: (readonly [string, string])[] = [];
  // Fields are their prototype's.
  for (const name in view) texts.push([name, fieldText(struct, name, Reflect.get(view, name))]);
  return texts;
}
