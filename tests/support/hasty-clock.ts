/** The system's clock, but that nobody waits: where a domain would sleep, the time has come at once. */
import type { Clock } from '../../runtime/domain/clock.ts';
import { systemClock } from '../../runtime/domain/clock.ts';

export function hastyClock(): Clock {
  const system = systemClock();
  let skipped = 0n;
  return {
    monotonic: () => system.monotonic() + skipped,
    realtime: () => system.realtime() + skipped,
    after: (nanoseconds, call) => {
      const due = system.monotonic() + skipped + nanoseconds;
      const timer = setImmediate(() => {
        const left = due - (system.monotonic() + skipped);
        if (left > 0n) skipped += left;
        call();
      });
      return () => clearImmediate(timer);
    },
    turn: system.turn,
  };
}
