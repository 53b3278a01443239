/*
 * Mini-OS's consoles. The first is the kernel's, and has no ring here: functions take NULL for it, or what xencons_ring_init returns.
 * Others (device/console/N in the store) are rings shared with their back-ends.
 */
#ifndef _LIB_CONSOLE_H_
#define _LIB_CONSOLE_H_

#include <mini-os/api.h>
#include <mini-os/types.h>
#include <mini-os/waittypes.h>
#include <mini-os/xenbus.h>
#include <stdarg.h>
#include <stdbool.h>
#include <xen/io/console.h>

/* `direct` chose the hypervisor's console in the original; here it is the first console, too. */
void print(int direct, const char *fmt, va_list args);
void printk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void xprintk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

struct minios_console_file;

struct consfront_dev {
  domid_t dom;
  struct xencons_interface *ring; /* NULL of the first */
  grant_ref_t ring_ref;
  evtchn_port_t evtchn;
  char *nodename;
  char *backend;
  xenbus_event_queue events;
  bool is_raw; /* console_print leaves its lines as they are */
  int fd;      /* or -1 */
  struct minios_console_file *file;
};

/* Woken when input has come, or room for output. */
extern struct wait_queue_head console_queue;

/* From now on the first console's input wakes console_queue, too. */
void init_console(void);
struct consfront_dev *xencons_ring_init(void);
static inline void get_console(void *start_info) {
  (void)start_info;
}

/* Waits for the back-end. NULL is the next of device/console/3 and so on. NULL where there is no such device. */
struct consfront_dev *init_consfront(char *nodename);
void free_consfront(struct consfront_dev *dev);
/* The same, of NULL as well. */
void fini_consfront(struct consfront_dev *dev);
void fini_console(struct consfront_dev *dev);

/* As many bytes as there is room for now; how many. */
int xencons_ring_send(struct consfront_dev *dev, const char *data, unsigned len);
/* Without telling the back-end. */
int xencons_ring_send_no_notify(struct consfront_dev *dev, const char *data, unsigned len);
/* Bytes that can be received. */
int xencons_ring_avail(struct consfront_dev *dev);
/* As many as have come, at most len; never waits. */
int xencons_ring_recv(struct consfront_dev *dev, char *data, unsigned len);
/* All of it, waiting for room; lines of a ring that is not raw end with CR and LF. */
void console_print(struct consfront_dev *dev, const char *data, int length);

/* Descriptors, which the last close frees; -1 where there is no such device. A nodename's bytes are neither changed nor added to. */
int open_consfront(char *nodename);
/* The next console from device/console/3 on. */
int posix_openpt(int flags);
/* Where a device model writes what is to be saved, device/console/1, or reads what is restored, device/console/2. */
int open_savefile(const char *path, int save);

#endif
