/* What the status of a grant operation means (GNTST_ of xen/grant_table.h). */
#include <mini-os/gnttab.h>
#include <stddef.h>

static const char *const meanings[] = {
    "okay",
    "undefined error",
    "no such domain",
    "no such grant reference",
    "no such handle",
    "no such virtual address",
    "no such device address",
    "no room for another mapping",
    "permission denied",
    "the page is not suitable",
    "the copy crosses the end of a page",
    "the address is too big",
    "busy: try again",
    "no space",
};

const char *gnttabop_error(int16_t status) {
  size_t n = (size_t)-status;
  return status > 0 || n >= sizeof meanings / sizeof *meanings ? "bad status" : meanings[n];
}
