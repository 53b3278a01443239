/** Operations of grant_table_op on the table as a whole: its version, its pages, their number. */
import {
  GNTST,
  GNTTABOP,
  gnttab_get_status_frames,
  gnttab_get_version,
  gnttab_query_size,
  gnttab_set_version,
  gnttab_setup_table,
} from '../../abi/grant-table.ts';
import { DOMID } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import type { FieldType, Struct } from '../../memory/layout.ts';
import type { DomainContext } from '../domain-context.ts';
import type { GrantPeers, GrantTable } from './grant-table.ts';
import type { GrantOperation } from './grant-table-op.ts';
import { mostGrantFrames } from './shared-entries.ts';

interface Parts {
  readonly table: GrantTable;
  readonly peers: GrantPeers;
}

type Fields = Readonly<Record<string, FieldType<unknown, never>>>;
type ViewOf<F extends Fields> = ReturnType<ReturnType<Struct<F>['layout']>['at']>;

/** One struct, copied in and out. */
function one<F extends Fields>(
  type: Struct<F>,
  call: (view: ViewOf<F>, domain: DomainContext) => number,
): GrantOperation {
  return (domain, at, count, number) => {
    if (count !== 1) throw new XenError('EINVAL', `${count} of what there is one of`);
    return uncounted(type, call)(domain, at, count, number);
  };
}

/** Of a 32-bit guest these come as lists, of which the empty one is well. */
const listed32 =
  (operation: GrantOperation): GrantOperation =>
  (domain, at, count, number) =>
    count === 0 && domain.width === 32 ? 0 : operation(domain, at, count, number);

function uncounted<F extends Fields>(
  type: Struct<F>,
  call: (view: ViewOf<F>, domain: DomainContext) => number,
): GrantOperation {
  return (domain, at) => {
    const { size, at: viewAt } = type.layout(domain.width);
    const bytes = domain.guest.readBytes(at, size);
    const result = call(viewAt(bytes, 0), domain);
    domain.guest.writeBytes(at, bytes);
    return result;
  };
}

export function tableOperations({ table, peers }: Parts): [number, GrantOperation][] {
  /** The status of asking about a domain: only about oneself. */
  const refusal = (domid: number): number => {
    if (domid === DOMID.SELF || domid === table.domid) return GNTST.okay;
    return peers(domid) === undefined ? GNTST.bad_domain : GNTST.permission_denied;
  };

  return [
    [
      GNTTABOP.setup_table,
      listed32(
        one(gnttab_setup_table, (op, domain) => {
          op.status = refusal(op.dom) || setupTable(table, domain, op.nr_frames, op.frame_list);
          return 0;
        }),
      ),
    ],
    [
      GNTTABOP.query_size,
      one(gnttab_query_size, (op) => {
        op.status = refusal(op.dom);
        if (op.status !== GNTST.okay) return 0;
        op.nr_frames = table.entries.sharedFrames.length;
        op.max_nr_frames = mostGrantFrames;
        return 0;
      }),
    ],
    [GNTTABOP.set_version, setVersion(table)],
    [
      GNTTABOP.get_status_frames,
      listed32(
        one(gnttab_get_status_frames, (op, domain) => {
          op.status = refusal(op.dom) || statusFrames(table, domain, op.nr_frames, op.frame_list);
          return 0;
        }),
      ),
    ],
    [
      GNTTABOP.get_version,
      uncounted(gnttab_get_version, (op) => {
        const status = refusal(op.dom);
        if (status === GNTST.bad_domain) throw new XenError('ESRCH', `there is no d${op.dom}`);
        if (status !== GNTST.okay) throw new XenError('EPERM', `no power over d${op.dom}`);
        op.version = table.entries.version;
        return 0;
      }),
    ],
  ];
}

function setupTable(
  { entries }: GrantTable,
  { guest, width }: DomainContext,
  frames: number,
  list: bigint,
): number {
  if (frames > mostGrantFrames) return GNTST.general_error;
  entries.grow(frames);
  const written = entries.sharedFrames
    .slice(0, frames)
    .every((frame, i) =>
      isDone(() => guest.writeWord(list + BigInt((i * width) / 8), BigInt(frame), width)),
    );
  // A 32-bit guest is told nothing: what Xen makes of its list has been translated already.
  return written || width === 32 ? GNTST.okay : GNTST.bad_virt_addr;
}

function statusFrames(
  { entries }: GrantTable,
  { guest }: DomainContext,
  frames: number,
  list: bigint,
): number {
  if (frames > entries.statusFrames.length) return GNTST.general_error;
  const written = entries.statusFrames
    .slice(0, frames)
    .every((frame, i) => isDone(() => guest.writeU64(list + BigInt(8 * i), BigInt(frame))));
  return written ? GNTST.okay : GNTST.bad_virt_addr;
}

/** The version that is there now is told even where it could not be changed. */
const setVersion =
  (table: GrantTable): GrantOperation =>
  (domain, at) => {
    const { entries } = table;
    const { width, guest } = domain;
    const { size, at: viewAt } = gnttab_set_version.layout(width);
    const bytes = guest.readBytes(at, size);
    const op = viewAt(bytes, 0);
    const asked = op.version;
    const change = (): void => {
      if (asked !== 1 && asked !== 2) throw new XenError('EINVAL', `no grant version ${asked}`);
      if (asked === entries.version) return;
      if (table.isBusy) throw new XenError('EBUSY', 'grants are in use');
      entries.setVersion(asked);
    };
    try {
      change();
    } finally {
      op.version = entries.version;
      guest.writeBytes(at, bytes);
    }
    return 0;
  };

function isDone(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if (error instanceof XenError) return false;
    throw error;
  }
}
