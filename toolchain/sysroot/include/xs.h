/* The older name of xenstore.h. */
#include <xenstore.h>
