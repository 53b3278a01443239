/**
 * A clock for which nobody waits: where a domain would sleep, the time has come at once. Otherwise the time of this process passes,
 * whatever else the machine does.
 */
import type { Clock } from '../../runtime/domain/clock.ts';
import { systemClock } from '../../runtime/domain/clock.ts';

export function hastyClock(): Clock {
  const system = systemClock();
  const [began, realtime] = [processTime(), system.realtime()];
  let skipped = 0n;
  return {
    monotonic: () => processTime() + skipped,
    realtime: () => realtime + processTime() - began + skipped,
    after: (nanoseconds, call) => {
      const due = processTime() + skipped + nanoseconds;
      const timer = setImmediate(() => {
        const left = due - (processTime() + skipped);
        if (left > 0n) skipped += left;
        call();
      });
      return () => clearImmediate(timer);
    },
    turn: system.turn,
  };
}

function processTime(): bigint {
  const { user, system } = process.cpuUsage();
  return BigInt(user + system) * 1000n;
}
