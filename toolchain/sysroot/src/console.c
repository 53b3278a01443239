/* printk and its kin: formatted into a buffer of the stack's, straight to the console. */
#include <mini-os/api.h>
#include <mini-os/console.h>
#include <stdio.h>

#define CONSOLE_FD 1

void print(int direct, const char *fmt, va_list args) {
  char buffer[1024];
  (void)direct;
  int length = vsnprintf(buffer, sizeof buffer, fmt, args);
  if (length <= 0)
    return;
  size_t rest = (size_t)length < sizeof buffer ? (size_t)length : sizeof buffer - 1;
  for (const char *from = buffer; rest > 0;) {
    ssize_t written = minios_write(CONSOLE_FD, from, rest);
    if (written <= 0)
      return;
    from += written;
    rest -= (size_t)written;
  }
}

void printk(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  print(0, fmt, args);
  va_end(args);
}

void xprintk(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  print(1, fmt, args);
  va_end(args);
}
