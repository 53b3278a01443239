#include <mini-os/fbfront.h>
