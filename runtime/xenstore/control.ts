/** Asking a guest to shut down, reboot or suspend: its node control/shutdown (docs/misc/xenstore-paths). */
import type { StoreAccess, StoreClient } from './client.ts';
import { domainPath } from './path.ts';

export type ShutdownRequest = 'poweroff' | 'reboot' | 'suspend' | 'halt';

export interface AskedShutdown {
  /** true when the guest has taken the request, by emptying the node; false when it was withdrawn or is gone. */
  readonly acknowledged: Promise<boolean>;
  /** Nothing is asked any more; false where the guest has taken it already. */
  withdraw(): boolean;
}

const nodeOf = (domid: number): string => `${domainPath(domid)}/control/shutdown`;

/** Says in its control directory that it understands such requests; old guests say nothing, and some still do. */
export const saysItCan = (store: StoreAccess, domid: number, request: ShutdownRequest): boolean => {
  const feature = request === 'halt' ? 'poweroff' : request;
  return store.find(`${domainPath(domid)}/control/feature-${feature}`) === '1';
};

/** One request at a time: a second one takes the first one's place. */
export function askToShutDown(
  store: StoreClient,
  domid: number,
  request: ShutdownRequest,
): AskedShutdown {
  const node = nodeOf(domid);
  store.write(node, request);
  let settle = (_: boolean): void => {};
  const acknowledged = new Promise<boolean>((resolve) => {
    settle = resolve;
  });
  let [isOver, isWithdrawn] = [false, false];
  let stop = (): void => {};
  const look = (): void => {
    const now = store.find(node);
    if (now === request) return;
    isOver = true;
    settle(now === '' && !isWithdrawn);
    stop();
  };
  stop = store.watch(node, look);
  if (isOver) stop(); // the guest was faster
  const withdraw = (): boolean =>
    store.transaction((t) => {
      isWithdrawn = t.find(node) === request && !isOver;
      if (isWithdrawn) t.write(node, '');
      return isWithdrawn;
    });
  return { acknowledged, withdraw };
}
