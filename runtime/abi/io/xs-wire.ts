/** xen/include/public/io/xs_wire.h: the messages of xenstore and the page through which domains send them. */
import { array, struct, u8, u32 } from '../../memory/layout.ts';

/** xsd_sockmsg_type */
export const XS = {
  CONTROL: 0,
  DIRECTORY: 1,
  READ: 2,
  GET_PERMS: 3,
  WATCH: 4,
  UNWATCH: 5,
  TRANSACTION_START: 6,
  TRANSACTION_END: 7,
  INTRODUCE: 8,
  RELEASE: 9,
  GET_DOMAIN_PATH: 10,
  WRITE: 11,
  MKDIR: 12,
  RM: 13,
  SET_PERMS: 14,
  WATCH_EVENT: 15,
  ERROR: 16,
  IS_DOMAIN_INTRODUCED: 17,
  RESUME: 18,
  SET_TARGET: 19,
  RESET_WATCHES: 21,
  DIRECTORY_PART: 22,
} as const;

export type RequestName = keyof typeof XS;

/** Errors that have a name in a reply; any other is told as EINVAL. */
export const xsd_errors: readonly string[] = [
  'EINVAL',
  'EACCES',
  'EEXIST',
  'EISDIR',
  'ENOENT',
  'ENOMEM',
  'ENOSPC',
  'EIO',
  'ENOTEMPTY',
  'ENOSYS',
  'EROFS',
  'EBUSY',
  'EAGAIN',
  'EISCONN',
  'E2BIG',
  'EPERM',
];

export const xsd_sockmsg = struct('xsd_sockmsg', {
  type: u32, // XS
  req_id: u32,
  tx_id: u32,
  len: u32, // of what follows
});

export const XENSTORE_RING_SIZE = 1024;

export const xenstore_domain_interface = struct('xenstore_domain_interface', {
  req: array(u8, XENSTORE_RING_SIZE),
  rsp: array(u8, XENSTORE_RING_SIZE),
  req_cons: u32,
  req_prod: u32,
  rsp_cons: u32,
  rsp_prod: u32,
  server_features: u32, // XENSTORE_SERVER_FEATURE
  connection: u32, // XENSTORE_CONNECTED or XENSTORE_RECONNECT
  error: u32, // XENSTORE_ERROR
});

export const XENSTORE_PAYLOAD_MAX = 4096;
export const XENSTORE_ABS_PATH_MAX = 3072;
export const XENSTORE_REL_PATH_MAX = 2048;

export const XENSTORE_SERVER_FEATURE = { RECONNECTION: 1, ERROR: 2 } as const;

export const XENSTORE_CONNECTED = 0;
export const XENSTORE_RECONNECT = 1;

export const XENSTORE_ERROR = { NONE: 0, COMM: 1, RINGIDX: 2, PROTO: 3 } as const;
