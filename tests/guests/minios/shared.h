/* What both ends of the conversations of these tests include. */
#include <mini-os/events.h>
#include <mini-os/gntmap.h>
#include <mini-os/gnttab.h>
#include <mini-os/mm.h>
#include <mini-os/os.h>
#include <mini-os/sched.h>
#include <mini-os/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
