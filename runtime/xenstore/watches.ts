/** What a client has of the store beside nodes: its watches and transactions. */
import { XENSTORE_REL_PATH_MAX } from '../abi/io/xs-wire.ts';
import { XenError } from '../errors.ts';
import { absolute, checkPath, domainPath } from './path.ts';
import type { Session, Watch } from './session.ts';
import type { Store } from './store.ts';
import { Transaction } from './transaction.ts';

const isRelative = (path: string): boolean => !path.startsWith('/') && !path.startsWith('@');

const costOf = ({ path, token }: Watch): number => path.length + token.length;

/** Tells nothing yet: `tellFirst` does, when the client has its answer. */
export function addWatch(store: Store, session: Session, path: string, token: string): Watch {
  const watch: Watch = {
    path: absolute(path, session.domid),
    token,
    base: isRelative(path) ? domainPath(session.domid) : undefined,
  };
  if (!path.startsWith('@')) checkPath(watch.path, store.quotas.path);
  else if (path.length > XENSTORE_REL_PATH_MAX) throw new XenError('EINVAL', 'xenstore: too long');
  if (session.watches.some((other) => other.path === watch.path && other.token === token))
    throw new XenError('EEXIST', `xenstore: ${path} is watched by that token`);
  const domain = store.domains.find(session.domid);
  if (!session.isPrivileged && (domain?.watches ?? 0) > store.quotas.watches)
    throw new XenError('E2BIG', `xenstore: domain ${session.domid} has too many watches`);
  store.domains.charge(session.domid, costOf(watch));
  if (domain !== undefined) domain.watches++;
  session.watches.push(watch);
  return watch;
}

/** A watch is told once of what it watches, so that nobody need look before it. */
export function tellFirst(store: Store, session: Session, { path, token, base }: Watch): void {
  store.deliver(session, base === undefined ? path : path.slice(base.length + 1), token);
}

export function removeWatch(store: Store, session: Session, path: string, token: string): void {
  const place = absolute(path, session.domid);
  const watch = session.watches.find((other) => other.path === place && other.token === token);
  if (watch === undefined) throw new XenError('ENOENT', `xenstore: ${path} is not watched`);
  session.watches = session.watches.filter((other) => other !== watch);
  forget(store, session, watch);
}

function forget(store: Store, session: Session, watch: Watch): void {
  store.domains.charge(session.domid, -costOf(watch), true);
  const domain = store.domains.find(session.domid);
  if (domain !== undefined) domain.watches--;
}

export function startTransaction(store: Store, session: Session): number {
  if (!session.isPrivileged && session.transactions.size > store.quotas.transactions)
    throw new XenError('ENOSPC', `xenstore: domain ${session.domid} has too many transactions`);
  while (session.nextTransaction === 0 || session.transactions.has(session.nextTransaction))
    session.nextTransaction = (session.nextTransaction + 1) >>> 0;
  const id = session.nextTransaction;
  session.nextTransaction = (id + 1) >>> 0;
  session.transactions.set(id, new Transaction(store, session));
  return id;
}

export function findTransaction(session: Session, id: number): Transaction {
  const transaction = session.transactions.get(id);
  if (transaction !== undefined) return transaction;
  throw new XenError('ENOENT', `xenstore: no transaction ${id}`);
}

/** It is over however it ends. */
export function endTransaction(session: Session, id: number, isToHappen: boolean): void {
  const transaction = findTransaction(session, id);
  session.transactions.delete(id);
  try {
    if (isToHappen) transaction.commit();
  } finally {
    transaction.close();
  }
}

/** Watches and transactions are gone, as for a client that has just come. */
export function resetSession(store: Store, session: Session): void {
  for (const watch of session.watches) forget(store, session, watch);
  session.watches = [];
  for (const transaction of session.transactions.values()) transaction.close();
  session.transactions.clear();
}
