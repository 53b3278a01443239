/*
 * Mini-OS's front-ends of a frame buffer and of a keyboard and pointer. The picture is the program's own pages; events of either are
 * taken with receive, and wake a queue.
 */
#ifndef _FBFRONT_H_
#define _FBFRONT_H_

#include <mini-os/api.h>
#include <mini-os/wait.h>
#include <xen/io/fbif.h>
#include <xen/io/kbdif.h>

/* Some codes of Linux's input events */
#ifndef BTN_LEFT
#define BTN_LEFT 0x110
#endif
#ifndef BTN_RIGHT
#define BTN_RIGHT 0x111
#endif
#ifndef BTN_MIDDLE
#define BTN_MIDDLE 0x112
#endif
#ifndef KEY_Q
#define KEY_Q 16
#endif
#ifndef KEY_MAX
#define KEY_MAX 0x1ff
#endif

struct kbdfront_dev;
/*
 * Waits for the back-end; nodename NULL is device/vkbd/0. NULL where there is no such device. abs_pointer: positions are asked for,
 * not motions.
 */
struct kbdfront_dev *init_kbdfront(char *nodename, int abs_pointer);
/* At most n events that have come, oldest first; how many. Never waits. */
int kbdfront_receive(struct kbdfront_dev *dev, union xenkbd_in_event *buf, int n);
/* A descriptor whose reads take events, and whose last close shuts the device down; -1 with errno. */
int kbdfront_open(struct kbdfront_dev *dev);
void shutdown_kbdfront(struct kbdfront_dev *dev);
extern struct wait_queue_head kbdfront_queue;

struct fbfront_dev;
/*
 * A picture on n pages, given by their machine frames (virt_to_mfn): width by height pixels of depth bits, stride bytes a row.
 * nodename NULL is device/vfb/0.
 */
struct fbfront_dev *init_fbfront(char *nodename, unsigned long *mfns, int width, int height, int depth,
                                 int stride, int n);
/* Events of the back-end's, as of the keyboard. */
int fbfront_receive(struct fbfront_dev *dev, union xenfb_in_event *buf, int n);
/* That part has changed; waits for room in the ring. */
void fbfront_update(struct fbfront_dev *dev, int x, int y, int width, int height);
/* The picture lies otherwise in its pages from now on, from offset on. */
void fbfront_resize(struct fbfront_dev *dev, int width, int height, int stride, int depth, int offset);
/* As kbdfront_open. */
int fbfront_open(struct fbfront_dev *dev);
void shutdown_fbfront(struct fbfront_dev *dev);
extern struct wait_queue_head fbfront_queue;

#endif
