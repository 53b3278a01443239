/** Error numbers as the images' C library has them: newlib's sys/errno.h, which from 35 on are not Linux's. */
import { XenError } from '../errors.ts';

// biome-ignore format: a table
export const errno = {
  EPERM: 1, ENOENT: 2, ESRCH: 3, EINTR: 4, EIO: 5, ENXIO: 6, E2BIG: 7, EBADF: 9, EAGAIN: 11, ENOMEM: 12, EACCES: 13, EFAULT: 14,
  EBUSY: 16, EEXIST: 17, EXDEV: 18, ENODEV: 19, ENOTDIR: 20, EISDIR: 21, EINVAL: 22, ENFILE: 23, EMFILE: 24, ENOTTY: 25,
  ETXTBSY: 26, EFBIG: 27, ENOSPC: 28, ESPIPE: 29, EROFS: 30, EMLINK: 31, EPIPE: 32, EDOM: 33, ERANGE: 34, EDEADLK: 45, ENOSYS: 88,
  ENOTEMPTY: 90, ENAMETOOLONG: 91, ELOOP: 92, EOPNOTSUPP: 95, ETIMEDOUT: 116, EINPROGRESS: 119, EALREADY: 120, EDQUOT: 132, ESTALE: 133, ENOTSUP: 134,
  EILSEQ: 138, EOVERFLOW: 139, ECANCELED: 140,
} as const;

export type Errno = keyof typeof errno;

/** An error that a guest's call answers with. */
export const failure = (name: Errno, message: string): XenError => new XenError(name, message);

export const errnoOf = (error: XenError): number =>
  error.errno in errno ? errno[error.errno as Errno] : errno.EIO;
