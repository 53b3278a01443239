/*
 * Messages of 9P2000.L on a front-end's ring: a request is written, sent and answered before the next begins. minios_9p_begin waits for
 * its turn, minios_9p_end lets others have theirs.
 */
#ifndef MINIOS_9P_WIRE_H
#define MINIOS_9P_WIRE_H

#include "front.h"
#include "mounts.h"

#include <mini-os/semaphore.h>
#include <xen/io/9pfs.h>

enum {
  P9_RLERROR = 7,
  P9_TLOPEN = 12,
  P9_TLCREATE = 14,
  P9_TGETATTR = 24,
  P9_TSETATTR = 26,
  P9_TREADDIR = 40,
  P9_TFSYNC = 50,
  P9_TMKDIR = 72,
  P9_TRENAMEAT = 74,
  P9_TUNLINKAT = 76,
  P9_TVERSION = 100,
  P9_TATTACH = 104,
  P9_TWALK = 110,
  P9_TREAD = 116,
  P9_TWRITE = 118,
  P9_TCLUNK = 120,
};

#define P9_NO_FID 0xffffffffu

struct minios_9p {
  struct minios_mount mount;
  struct minios_front front;
  struct xen_9pfs_data_intf *intf;
  char *ring; /* half of it to us, half from us */
  int order;  /* of its pages */
  uint32_t size; /* bytes of a half */
  grant_ref_t intf_ref;
  evtchn_port_t evtchn;
  struct semaphore turn;
  struct wait_queue_head queue;
  uint32_t longest; /* message that both have agreed on */
  uint32_t last_fid;
  uint32_t put; /* where the request that is being written goes on */
  uint32_t got, end; /* of the answer that is being read */
};

void minios_9p_begin(struct minios_9p *dev);
void minios_9p_put(struct minios_9p *dev, const void *bytes, size_t count);
void minios_9p_put_number(struct minios_9p *dev, uint64_t number, int bytes);
void minios_9p_put_text(struct minios_9p *dev, const char *text, size_t length);
/* Sends it, and waits for the answer; a negative errno of the C library's. */
int minios_9p_call(struct minios_9p *dev, uint8_t type);
/* False where the answer has not so many bytes; what is taken is 0 then. */
bool minios_9p_take(struct minios_9p *dev, void *bytes, size_t count);
uint64_t minios_9p_take_number(struct minios_9p *dev, int bytes);
void minios_9p_end(struct minios_9p *dev);

/* A fid for the path, to be let go by minios_9p_clunk; or a negative errno. */
int minios_9p_walk(struct minios_9p *dev, const char *path, size_t length, uint32_t *fid);
void minios_9p_clunk(struct minios_9p *dev, uint32_t fid);

/* What is known of a directory, which is read anew when entry 0 is asked for; all 0 before. */
struct minios_9p_names {
  char *bytes; /* entries as the back-end has sent them */
  size_t length;
  size_t at; /* of the entry that has the number `next` */
  int next;
};

/* 1 and an entry, 0 behind the last, a negative errno. */
int minios_9p_entry(struct minios_9p *dev, uint32_t fid, struct minios_9p_names *names, int number,
                    struct minios_dirent *result);

extern const struct minios_mount_calls minios_9p_calls;

#endif
