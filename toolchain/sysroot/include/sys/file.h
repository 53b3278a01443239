/* flock of BSD, whose constants newlib's <fcntl.h> has. */
#ifndef _SYS_FILE_H_
#define _SYS_FILE_H_

#include <fcntl.h>
#include <unistd.h>

#endif
