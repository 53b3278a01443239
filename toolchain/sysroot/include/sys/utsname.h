/* uname of POSIX. */
#ifndef _SYS_UTSNAME_H
#define _SYS_UTSNAME_H

#ifdef __cplusplus
extern "C" {
#endif

struct utsname {
  char sysname[65];
  char nodename[256];
  char release[65];
  char version[65];
  char machine[65];
};

int uname(struct utsname *);

#ifdef __cplusplus
}
#endif

#endif
