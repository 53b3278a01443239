/* sigsetjmp and siglongjmp: the mask of signals beside the registers (machine/setjmp.h). */
#include <setjmp.h>
#include <signal.h>

jmp_buf *minios_sigsetjmp(sigjmp_buf place, int has_mask) {
  place->has_mask = has_mask;
  if (has_mask)
    sigprocmask(SIG_BLOCK, NULL, &place->mask);
  return &place->registers;
}

void siglongjmp(sigjmp_buf place, int value) {
  if (place->has_mask)
    sigprocmask(SIG_SETMASK, &place->mask, NULL);
  longjmp(place->registers, value);
}
