/* struct dirent for newlib's <dirent.h>, which expects each system to bring this file. */
#ifndef _SYS_DIRENT_H_
#define _SYS_DIRENT_H_

#include <sys/types.h>

#define MAXNAMLEN 255

struct dirent {
  ino_t d_ino;
  off_t d_off; /* of the entry behind this one, as telldir gives it */
  unsigned short d_reclen;
  unsigned char d_type;
  char d_name[MAXNAMLEN + 1];
};

#define d_fileno d_ino
#define _DIRENT_HAVE_D_TYPE

/* d_type: the file's kind, S_IFMT of its mode shifted down. */
#define DT_UNKNOWN 0
#define DT_FIFO 1
#define DT_CHR 2
#define DT_DIR 4
#define DT_BLK 6
#define DT_REG 8
#define DT_LNK 10
#define DT_SOCK 12
#define DT_WHT 14

#define IFTODT(mode) (((mode) & 0170000) >> 12)
#define DTTOIF(type) ((type) << 12)

typedef struct minios_directory DIR;

#endif
