/* OCaml's runtime without ocamldebug's other end (caml/debugger.h): that one needs sockets in every bytecode program, and fork. */
#define CAML_INTERNALS
#include <stdlib.h>

#include "caml/config.h"
#include "caml/debugger.h"

int caml_debugger_in_use = 0;
int caml_debugger_fork_mode = 1;
uintnat caml_event_count;

void caml_debugger_init(void) {}

void caml_debugger(enum event_kind event, value param) {
  (void)event;
  (void)param;
}

void caml_debugger_cleanup_fork(void) {}

/* Asked for where code has a breakpoint, which nobody sets. */
opcode_t caml_debugger_saved_instruction(code_t pc) {
  (void)pc;
  abort();
}
