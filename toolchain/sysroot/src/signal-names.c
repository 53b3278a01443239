/* Signals in words, GNU's. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    [SIGHUP] = "Hangup",
    [SIGINT] = "Interrupt",
    [SIGQUIT] = "Quit",
    [SIGILL] = "Illegal instruction",
    [SIGTRAP] = "Trace/breakpoint trap",
    [SIGABRT] = "Aborted",
    [SIGBUS] = "Bus error",
    [SIGFPE] = "Floating point exception",
    [SIGKILL] = "Killed",
    [SIGUSR1] = "User defined signal 1",
    [SIGSEGV] = "Segmentation fault",
    [SIGUSR2] = "User defined signal 2",
    [SIGPIPE] = "Broken pipe",
    [SIGALRM] = "Alarm clock",
    [SIGTERM] = "Terminated",
    [SIGSTKFLT] = "Stack fault",
    [SIGCHLD] = "Child exited",
    [SIGCONT] = "Continued",
    [SIGSTOP] = "Stopped (signal)",
    [SIGTSTP] = "Stopped",
    [SIGTTIN] = "Stopped (tty input)",
    [SIGTTOU] = "Stopped (tty output)",
    [SIGURG] = "Urgent I/O condition",
    [SIGXCPU] = "CPU time limit exceeded",
    [SIGXFSZ] = "File size limit exceeded",
    [SIGVTALRM] = "Virtual timer expired",
    [SIGPROF] = "Profiling timer expired",
    [SIGWINCH] = "Window changed",
    [SIGIO] = "I/O possible",
    [SIGPWR] = "Power failure",
    [SIGSYS] = "Bad system call",
};

#define COUNT ((int)(sizeof names / sizeof *names))

char *strsignal(int signal) {
  static char other[40];
  if (signal > 0 && signal < COUNT)
    return (char *)names[signal];
  if (signal >= SIGRTMIN && signal <= SIGRTMAX)
    snprintf(other, sizeof other, "Real-time signal %d", signal - SIGRTMIN);
  else
    snprintf(other, sizeof other, "Unknown signal %d", signal);
  return other;
}

void psignal(int signal, const char *prefix) {
  if (prefix != NULL && *prefix != '\0')
    fprintf(stderr, "%s: ", prefix);
  fprintf(stderr, "%s\n", strsignal(signal));
}
