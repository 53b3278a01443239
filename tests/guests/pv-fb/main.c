/*
 * A frame buffer and a keyboard: draws a picture, says which part it has drawn, prints what is pressed and where the pointer is,
 * draws a square where it was pressed, and ends when Escape is let go.
 */
#include "blkfront.h"
#include "store.h"
#include <xen/io/fbif.h>
#include <xen/io/kbdif.h>
#include <xen/io/xenbus.h>

#define WIDTH 320
#define HEIGHT 200
#define PAGES ((WIDTH * HEIGHT * 4 + 4095) / 4096)
#define ESCAPE 1
#define LEFT_BUTTON 272

static uint32_t pixels[PAGES][1024] PAGE;
static char fb_page[4096] PAGE, kbd_page[4096] PAGE, directory[4096] PAGE;
static struct xenfb_page *const fb = (void *)fb_page;
static volatile struct xenkbd_page *const kbd = (void *)kbd_page;
static unsigned fb_port, kbd_port, x, y;

static unsigned new_port(void)
{
	struct evtchn_alloc_unbound port = { .dom = DOMID_SELF, .remote_dom = 0 };
	CALL2(event_channel_op, EVTCHNOP_alloc_unbound, &port);
	return port.port;
}

static void notify(unsigned port)
{
	struct evtchn_send send = { .port = port };
	CALL2(event_channel_op, EVTCHNOP_send, &send);
}

static char *own(char *path, const char *type, const char *name)
{
	path[0] = 0;
	return append(append(append(append(path, "device/"), type), "/0/"), name);
}

static void set_own(const char *type, const char *name, unsigned value)
{
	char path[64], text[16] = "";
	store_write(own(path, type, name), append_number(text, value));
}

static void wait_for_state(const char *type, unsigned state)
{
	char path[96], backend[64], text[16] = "";
	store_read(own(path, type, "backend"), backend, sizeof backend);
	append(backend, "/state");
	while (!store_read(backend, text, sizeof text) || number_of(text) != state)
		CALL2(sched_op, SCHEDOP_yield, 0);
}

static void connect_device(const char *type, const void *page, unsigned port)
{
	wait_for_state(type, XenbusStateInitWait);
	set_own(type, "page-ref", mfn_of(page));
	set_own(type, "event-channel", port);
	set_own(type, "feature-update", 1);
	set_own(type, "request-abs-pointer", 1);
	set_own(type, "state", XenbusStateInitialised);
	wait_for_state(type, XenbusStateConnected);
	set_own(type, "state", XenbusStateConnected);
}

static void fill(unsigned left, unsigned top, unsigned width, unsigned height, int colour)
{
	for (unsigned row = top; row < top + height && row < HEIGHT; row++)
		for (unsigned column = left; column < left + width && column < WIDTH; column++)
			((uint32_t *)pixels)[row * WIDTH + column] =
				colour < 0 ? (column & 255) << 16 | (row & 255) << 8 | 0x40 : (unsigned)colour;
}

static void update(unsigned left, unsigned top, unsigned width, unsigned height)
{
	union xenfb_out_event *event = &XENFB_OUT_RING_REF(fb, fb->out_prod);
	memset(event, 0, sizeof *event);
	event->update = (struct xenfb_update){ XENFB_TYPE_UPDATE, left, top, width, height };
	__asm__ volatile("" ::: "memory");
	fb->out_prod++;
	notify(fb_port);
}

static void connect_screen(void)
{
	for (unsigned page = 0; page < PAGES; page++)
		((unsigned long *)directory)[page] = mfn_of(pixels[page]);
	fb->width = WIDTH;
	fb->height = HEIGHT;
	fb->line_length = WIDTH * 4;
	fb->mem_length = PAGES * 4096;
	fb->depth = 32;
	fb->pd[0] = mfn_of(directory);
	fill(0, 0, WIDTH, HEIGHT, -1);
	fb_port = new_port();
	connect_device("vfb", fb_page, fb_port);
}

static int handle(const union xenkbd_in_event *event)
{
	switch (event->type) {
	case XENKBD_TYPE_KEY:
		print("key %u %s\n", event->key.keycode, event->key.pressed ? "down" : "up");
		if (event->key.keycode == LEFT_BUTTON && event->key.pressed) {
			fill(x, y, 16, 16, 0xffffff);
			update(x, y, 16, 16);
		}
		return event->key.keycode == ESCAPE && !event->key.pressed;
	case XENKBD_TYPE_POS:
		x = event->pos.abs_x;
		y = event->pos.abs_y;
		print("pointer %u %u\n", x, y);
		return 0;
	case XENKBD_TYPE_MOTION:
		print("wheel %d\n", event->motion.rel_z);
		return 0;
	default:
		print("event of type %u\n", event->type);
		return 0;
	}
}

void run(void)
{
	unsigned done = 0;
	connect_screen();
	kbd_port = new_port();
	connect_device("vkbd", kbd_page, kbd_port);
	print("drawn\n");
	while (!done) {
		while (kbd->in_cons == kbd->in_prod)
			CALL2(sched_op, SCHEDOP_yield, 0);
		done = handle(&XENKBD_IN_RING_REF((struct xenkbd_page *)kbd, kbd->in_cons));
		__asm__ volatile("" ::: "memory");
		kbd->in_cons++;
		notify(kbd_port);
	}
}
