/* What both ends of the conversations of these tests include. */
#include <mini-os/events.h>
#include <mini-os/gntmap.h>
#include <mini-os/gnttab.h>
#include <mini-os/mm.h>
#include <mini-os/os.h>
#include <mini-os/sched.h>
#include <mini-os/semaphore.h>
#include <mini-os/spinlock.h>
#include <mini-os/wait.h>
#include <mini-os/xenbus.h>
#include <mini-os/xmalloc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
