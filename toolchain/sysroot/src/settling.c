/* Apart from the mappings, so that an image that maps no file has none of it. */
#include "settling.h"

const struct minios_settling *minios_settling;
