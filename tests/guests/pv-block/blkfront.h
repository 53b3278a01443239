/* A block front-end that does as it is told, also what no honest one does. */
#ifndef BLKFRONT_H
#define BLKFRONT_H
#include "pv.h"
#define xen_mb() __sync_synchronize()
#define xen_rmb() __asm__ volatile("" ::: "memory")
#define xen_wmb() __asm__ volatile("" ::: "memory")
#include <xen/io/blkif.h>

struct disk {
	unsigned id;
	char backend[64];
	blkif_front_ring_t ring;
	unsigned port;
	unsigned long sectors;
};

/* A grant of a page to that domain, and its end; 0: it is in use. */
unsigned grant(const void *page, unsigned domain, unsigned flags);
int end_grant(unsigned reference);
/* What stands in its entry. */
unsigned grant_flags(unsigned reference);

/* Around a suspend: the table is not the guest's memory, and in another domain it is another one, in which nothing is granted. */
void unmap_grants(void);
void map_grants(void);
void forget_grants(void);

/* A node of the back-end's; 0 where there is none. */
unsigned backend_number(const struct disk *disk, const char *name);
int connect_disk(struct disk *disk, unsigned id, void *ring_page);

/* The request after those that have been queued. */
blkif_request_t *next_request(struct disk *disk, unsigned operation, uint64_t id, uint64_t sector);
void push_requests(struct disk *disk);
/* The next response, waited for. */
blkif_response_t next_response(struct disk *disk);
/* Queues nothing; the one that is queued is pushed, and answered. */
int status_of_one(struct disk *disk);
#endif
