/** Error numbers as 9P2000.L has them: Linux's (asm-generic/errno.h), which are Xen's, and those that Xen has no use for. */
import { XEN_ERRNO } from '../../abi/errno.ts';

const others: Readonly<Record<string, number>> = {
  ...{ ENOTTY: 25, EFBIG: 27, ESPIPE: 29, EPIPE: 32, ELOOP: 40 },
};

/** EIO for what has no number. */
export const linuxErrno = (name: string): number => XEN_ERRNO[name] ?? others[name] ?? 5;
