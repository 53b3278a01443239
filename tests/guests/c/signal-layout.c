/* Where the fields of what a handler is told lie: the C library's header here, glibc's natively. */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <ucontext.h>

#define FIELD(type, field) printf(#type "." #field " %d\n", (int)offsetof(type, field))
#define SIZE(type) printf("sizeof " #type " %d\n", (int)sizeof(type))
#define NUMBER(name) printf(#name " %ld\n", (long)name)

int main(void) {
  SIZE(siginfo_t);
  FIELD(siginfo_t, si_signo);
  FIELD(siginfo_t, si_errno);
  FIELD(siginfo_t, si_code);
  FIELD(siginfo_t, si_pid);
  FIELD(siginfo_t, si_uid);
  FIELD(siginfo_t, si_status);
  FIELD(siginfo_t, si_value);
  FIELD(siginfo_t, si_int);
  FIELD(siginfo_t, si_ptr);
  FIELD(siginfo_t, si_timerid);
  FIELD(siginfo_t, si_overrun);
  FIELD(siginfo_t, si_addr);
  FIELD(siginfo_t, si_band);
  FIELD(siginfo_t, si_fd);
  SIZE(stack_t);
  FIELD(stack_t, ss_sp);
  FIELD(stack_t, ss_flags);
  FIELD(stack_t, ss_size);
  SIZE(union sigval);
  FIELD(struct sigevent, sigev_value);
  FIELD(struct sigevent, sigev_signo);
  FIELD(struct sigevent, sigev_notify);
  FIELD(struct sigevent, sigev_notify_function);
  FIELD(struct sigevent, sigev_notify_attributes);
  SIZE(gregset_t);
  SIZE(mcontext_t);
  FIELD(mcontext_t, gregs);
  FIELD(mcontext_t, fpregs);
  FIELD(ucontext_t, uc_flags);
  FIELD(ucontext_t, uc_link);
  FIELD(ucontext_t, uc_stack);
  FIELD(ucontext_t, uc_mcontext);
  FIELD(ucontext_t, uc_sigmask);
  SIZE(struct _libc_fpstate);
  FIELD(struct _libc_fpstate, _st);
#ifdef __x86_64__
  FIELD(struct _libc_fpstate, cwd);
  FIELD(struct _libc_fpstate, swd);
  FIELD(struct _libc_fpstate, ftw);
  FIELD(struct _libc_fpstate, fop);
  FIELD(struct _libc_fpstate, rip);
  FIELD(struct _libc_fpstate, rdp);
  FIELD(struct _libc_fpstate, mxcsr);
  FIELD(struct _libc_fpstate, mxcr_mask);
  FIELD(struct _libc_fpstate, _xmm);
  NUMBER(REG_R8);
  NUMBER(REG_R15);
  NUMBER(REG_RDI);
  NUMBER(REG_RSI);
  NUMBER(REG_RBP);
  NUMBER(REG_RBX);
  NUMBER(REG_RDX);
  NUMBER(REG_RAX);
  NUMBER(REG_RCX);
  NUMBER(REG_RSP);
  NUMBER(REG_RIP);
  NUMBER(REG_CSGSFS);
  NUMBER(REG_OLDMASK);
  NUMBER(REG_CR2);
#else
  FIELD(mcontext_t, oldmask);
  FIELD(mcontext_t, cr2);
  FIELD(struct _libc_fpstate, cw);
  FIELD(struct _libc_fpstate, sw);
  FIELD(struct _libc_fpstate, tag);
  FIELD(struct _libc_fpstate, ipoff);
  FIELD(struct _libc_fpstate, cssel);
  FIELD(struct _libc_fpstate, dataoff);
  FIELD(struct _libc_fpstate, datasel);
  FIELD(struct _libc_fpstate, status);
  NUMBER(REG_GS);
  NUMBER(REG_FS);
  NUMBER(REG_ES);
  NUMBER(REG_DS);
  NUMBER(REG_EDI);
  NUMBER(REG_ESI);
  NUMBER(REG_EBP);
  NUMBER(REG_ESP);
  NUMBER(REG_EBX);
  NUMBER(REG_EDX);
  NUMBER(REG_ECX);
  NUMBER(REG_EAX);
  NUMBER(REG_EIP);
  NUMBER(REG_CS);
  NUMBER(REG_UESP);
  NUMBER(REG_SS);
#endif
  NUMBER(REG_EFL);
  NUMBER(REG_ERR);
  NUMBER(REG_TRAPNO);
  NUMBER(SIGHUP);
  NUMBER(SIGSYS);
  NUMBER(SIGRTMIN);
  NUMBER(SIGRTMAX);
  NUMBER(NSIG);
  NUMBER(SA_SIGINFO);
  NUMBER((int)SA_ONSTACK);
  NUMBER((int)SA_RESTART);
  NUMBER((int)SA_NODEFER);
  NUMBER((int)SA_RESETHAND);
  NUMBER(SIG_BLOCK);
  NUMBER(SIG_UNBLOCK);
  NUMBER(SIG_SETMASK);
  NUMBER(SS_ONSTACK);
  NUMBER(SS_DISABLE);
  NUMBER(SI_USER);
  NUMBER(SI_KERNEL);
  NUMBER(SI_QUEUE);
  NUMBER(SI_TIMER);
  NUMBER(SI_TKILL);
  NUMBER(FPE_INTDIV);
  NUMBER(FPE_FLTDIV);
  NUMBER(FPE_FLTOVF);
  NUMBER(FPE_FLTUND);
  NUMBER(FPE_FLTRES);
  NUMBER(FPE_FLTINV);
  NUMBER(ILL_ILLOPN);
  NUMBER(SEGV_MAPERR);
  NUMBER(SEGV_ACCERR);
  NUMBER(BUS_ADRALN);
  NUMBER(TRAP_BRKPT);
  return 0;
}
