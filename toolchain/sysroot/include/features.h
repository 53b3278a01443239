/* Under the name that GNU's C library has for it. */
#include <sys/features.h>
