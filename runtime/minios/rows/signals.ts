/**
 * The rows behind signals and the timers that send them: sets are 64-bit words, bit n - 1 for signal n; structs are those of the
 * sysroot's sys/signal.h (info: siginfo_t; stack: stack_t). 0 or a negative errno, where nothing else is said.
 */
import { orPark } from '../kernel/park.ts';
import { type ApiFunction, row } from '../row.ts';

export const signalRows = {
  // Either may be NULL, as in C.
  minios_sigaction: row(
    'int minios_sigaction(int signal, const struct sigaction *action, struct sigaction *old)',
    ({ signals }, signal, action, old) => signals.setAction(signal, action, old),
  ),
  // Of the running thread. how: SIG_BLOCK 0, SIG_UNBLOCK 1, SIG_SETMASK 2.
  minios_sigprocmask: row(
    'int minios_sigprocmask(int how, const uint64_t *set, uint64_t *old)',
    ({ signals }, how, set, old) => signals.setMask(how, set, old),
  ),
  minios_sigpending: row('int minios_sigpending(uint64_t *result)', ({ signals }, result) =>
    signals.pending(result),
  ),
  // Parks until a handler has run; -EINTR.
  minios_sigsuspend: row('int minios_sigsuspend(const uint64_t *mask)', ({ signals }, mask) =>
    signals.suspend(mask),
  ),
  // The signal, and what a handler would be told in *info; -EAGAIN after so many nanoseconds, never where that is less than 0.
  minios_sigtimedwait: row(
    'int minios_sigtimedwait(const uint64_t *set, void *info, int64_t nanoseconds)',
    ({ signals }, set, info, nanoseconds) => signals.wait(set, info, nanoseconds),
  ),
  // To a thread, or with NULL to the process. code: SI_USER 0, SI_QUEUE -1, SI_TKILL -6.
  minios_signal: row(
    'int minios_signal(struct thread *thread, int signal, int code, void *value)',
    ({ signals }, thread, signal, code, value) => signals.send(thread, signal, code, value),
  ),
  minios_sigaltstack: row(
    'int minios_sigaltstack(const void *stack, void *old)',
    ({ signals }, stack, old) => signals.setAlternateStack(stack, old),
  ),

  // Parks until that time of the monotonic clock; -EINTR behind a handler.
  minios_sleep_until: row('int minios_sleep_until(int64_t time)', ({ clocks }, time) =>
    orPark({
      what: 'time to pass',
      ask: () => (clocks.monotonic() < time ? undefined : 0),
      until: time,
      onSignal: 'end',
    }),
  ),

  // which: ITIMER_REAL 0, ITIMER_VIRTUAL 1, ITIMER_PROF 2; nanoseconds. A value less than 0 changes nothing, 0 disarms. *old: what
  // was left, and the interval.
  minios_setitimer: row(
    'int minios_setitimer(int which, int64_t value, int64_t interval, int64_t *old)',
    ({ timers }, which, value, interval, old) => timers.setInterval(which, value, interval, old),
  ),
  // The timer's number. clock: as minios_clock_ns; notify: SIGEV_SIGNAL 0, SIGEV_NONE 1; with_id: its number is the value.
  minios_timer_create: row(
    'int minios_timer_create(int clock, int notify, int signal, void *value, int with_id)',
    ({ timers }, clock, notify, signal, value, withId) =>
      timers.create(clock, notify, signal, value, withId),
  ),
  // flags: TIMER_ABSTIME 4.
  minios_timer_settime: row(
    'int minios_timer_settime(int timer, int flags, int64_t value, int64_t interval, int64_t *old)',
    ({ timers }, timer, flags, value, interval, old) =>
      timers.set(timer, flags, value, interval, old),
  ),
  minios_timer_gettime: row(
    'int minios_timer_gettime(int timer, int64_t *result)',
    ({ timers }, timer, result) => timers.get(timer, result),
  ),
  // How often it had expired again when its last signal was taken.
  minios_timer_getoverrun: row('int minios_timer_getoverrun(int timer)', ({ timers }, timer) =>
    timers.overrun(timer),
  ),
  minios_timer_delete: row('int minios_timer_delete(int timer)', ({ timers }, timer) =>
    timers.delete(timer),
  ),
} as const satisfies Readonly<Record<string, ApiFunction>>;
