/*
 * Mini-OS's 9P front-end: a folder of another domain's (device/9pfs/<id>) at a place of the tree. Files below it are opened, read,
 * written, sought, examined, renamed and removed by the C library's calls; directories are made and removed, but not read, and links are
 * not followed.
 */
#ifndef __9PFRONT_H__
#define __9PFRONT_H__

/* mnt is absolute, without a slash at its end. NULL where there is no such device. */
void *init_9pfront(unsigned int id, const char *mnt);
/* No file below may be open any more. */
void shutdown_9pfront(void *dev);

#endif
