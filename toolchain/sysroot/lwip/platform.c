/* What lwip's core asks of the system: a clock, random numbers, somebody to complain to. */
#include <lwip/sys.h>
#include <mini-os/api.h>
#include <mini-os/os.h>
#include <mini-os/time.h>

uint32_t sys_now(void) {
  return (uint32_t)(monotonic_clock() / 1000000);
}

uint32_t minios_lwip_random(void) {
  uint32_t number = 0;
  minios_random(&number, sizeof number);
  return number;
}

void minios_lwip_assertion(const char *message, const char *file, int line) {
  printk("lwip: %s at %s:%d\n", message, file, line);
  abort();
}
