/* struct dirent for newlib's <dirent.h>, which expects each system to bring this file. */
#ifndef _SYS_DIRENT_H_
#define _SYS_DIRENT_H_

#include <sys/types.h>

#define MAXNAMLEN 255

struct dirent {
  ino_t d_ino;
  unsigned char d_type;
  char d_name[MAXNAMLEN + 1];
};

typedef struct minios_directory DIR;

#endif
