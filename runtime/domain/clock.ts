/** Time, as a machine is given it: a parameter, so that a run can be repeated. */

export interface Clock {
  /** Nanoseconds from some point on; never goes back. */
  monotonic(): bigint;
  /** Nanoseconds since 1970, UTC. */
  realtime(): bigint;
  /** Calls once after that many nanoseconds; the answer forgets it. */
  after(nanoseconds: bigint, call: () => void): () => void;
  /** Resolves when the host's event loop has had a turn. */
  turn(): Promise<void>;
}

/** Longest delay that the host's timers know; whoever waits longer asks again. */
const longestDelay = 0x7fff_ffff;

export function systemClock(): Clock {
  return {
    monotonic: () => BigInt(Math.round(performance.now() * 1e6)),
    realtime: () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e3)) * 1000n,
    after: (nanoseconds, call) => {
      const milliseconds = Math.min(Math.ceil(Number(nanoseconds) / 1e6), longestDelay);
      const timer = setTimeout(call, milliseconds);
      return () => clearTimeout(timer);
    },
    turn: typeof setImmediate === 'function' ? immediateTurn : messageTurn,
  };
}

const immediateTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Browsers have no setImmediate, and clamp nested timers to 4 ms. */
const messageTurn = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const onmessage = (): void => {
      port1.close();
      resolve();
    };
    Object.assign(port1, { onmessage });
    port2.postMessage(undefined);
  });
