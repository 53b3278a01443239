/*
 * Keys and the pointer through Mini-OS's keyboard front-end, as a descriptor that select waits for: prints what is typed, a line at
 * a time, and where the buttons are pressed, until Escape.
 */
#include <mini-os/fbfront.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

enum { ESCAPE = 1, BACKSPACE = 14, ENTER = 28, SHIFT = 42 };

/* Codes of Linux's input events, by rows of the keyboard. */
static const char plain[] = "\0\0001234567890-=\0\tqwertyuiop[]\0\0asdfghjkl;'`\0\\zxcvbnm,./\0\0\0 ";
static const char shifted[] = "\0\0!@#$%^&*()_+\0\tQWERTYUIOP{}\0\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0\0\0 ";

static char line[80];
static size_t length;
static int is_shifted, x, y;

static void type(uint32_t code) {
  if (code == ENTER) {
    printf("typed: %.*s\n", (int)length, line);
    length = 0;
  } else if (code == BACKSPACE) {
    length -= length > 0;
  } else if (code < sizeof plain && plain[code] != 0 && length < sizeof line) {
    line[length++] = is_shifted ? shifted[code] : plain[code];
  }
}

/* Whether there is more to come. */
static int handle(const union xenkbd_in_event *event) {
  if (event->type == XENKBD_TYPE_POS) {
    x = event->pos.abs_x;
    y = event->pos.abs_y;
  }
  if (event->type != XENKBD_TYPE_KEY)
    return 1;
  uint32_t code = event->key.keycode;
  if (code == SHIFT)
    is_shifted = event->key.pressed;
  else if (code == BTN_LEFT && event->key.pressed)
    printf("pressed at %d, %d\n", x, y);
  else if (event->key.pressed)
    type(code);
  return code != ESCAPE;
}

int main(void) {
  struct kbdfront_dev *keyboard = init_kbdfront(NULL, 1);
  if (keyboard == NULL)
    return 1;
  int fd = kbdfront_open(keyboard);
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  printf("type\n");
  for (int goes_on = 1; goes_on;) {
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    select(fd + 1, &readable, NULL, NULL, NULL);
    union xenkbd_in_event events[8];
    ssize_t bytes = read(fd, events, sizeof events);
    for (int i = 0; goes_on && i < bytes / (ssize_t)sizeof *events; i++)
      goes_on = handle(&events[i]);
  }
  close(fd);
  return 0;
}
