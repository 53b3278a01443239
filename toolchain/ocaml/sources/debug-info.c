/*
 * The debug information of a bytecode program that is in the image with its interpreter, which would read it from a file (DEBUG_INFO
 * is its path when this is compiled): so it gets a file, without a name, when a backtrace first asks for it (backtrace_byt.c).
 */
#define CAML_INTERNALS
#define CAML_NAME_SPACE
#include <caml/backtrace.h>
#include <caml/exec.h>
#include <caml/startup.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT(macro) TEXT_OF(macro)
#define TEXT_OF(words) #words

__asm__(".pushsection .data.minios_caml_debug\n"
        ".globl minios_caml_debug, minios_caml_debug_trailer, minios_caml_debug_end\n"
        "minios_caml_debug: .incbin \"" DEBUG_INFO "\"\n"
        "minios_caml_debug_end:\n"
        "minios_caml_debug_trailer = minios_caml_debug_end - " TEXT(TRAILER_SIZE) "\n"
        ".popsection");
extern const char minios_caml_debug[], minios_caml_debug_trailer[TRAILER_SIZE], minios_caml_debug_end[];

/* Addresses that code reads, since it is the same in all programs (bytecode-startup.h). */
static const char *volatile first = minios_caml_debug, *volatile trailer = minios_caml_debug_trailer;
static const char *volatile behind = minios_caml_debug_end;

static char name[] = "debug information";

/* CAML_DEBUG_FILE goes before. */
__attribute__((constructor)) static void tell(void) {
  caml_cds_file = name;
}

int __real_caml_attempt_open(char_os **path, struct exec_trailer *trail, int do_open_script);
int __wrap_caml_attempt_open(char_os **path, struct exec_trailer *trail, int do_open_script);

static int is_written(int fd) {
  for (const char *from = first; from < behind;) {
    ssize_t written = write(fd, from, (size_t)(behind - from));
    if (written <= 0)
      return 0;
    from += written;
  }
  return 1;
}

int __wrap_caml_attempt_open(char_os **path, struct exec_trailer *trail, int do_open_script) {
  char file[] = "/tmp/ocaml-XXXXXX";
  if (*path != name)
    return __real_caml_attempt_open(path, trail, do_open_script);
  int fd = mkstemp(file);
  if (fd < 0)
    return errno == EMFILE ? NO_FDS : FILE_NOT_FOUND;
  unlink(file);
  if (!is_written(fd)) {
    close(fd);
    return FILE_NOT_FOUND;
  }
  /* The number of sections, its highest byte first, and the magic number */
  memcpy(trail, trailer, TRAILER_SIZE);
  trail->num_sections = __builtin_bswap32(trail->num_sections);
  return fd;
}
