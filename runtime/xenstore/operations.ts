/** What a client may do with nodes: docs/misc/xenstore.txt, with the errors and quotas of Xen's xenstored. */
import { XenError } from '../errors.ts';
import type { Nodes, StoreNode } from './node.ts';
import { sizeOf } from './node.ts';
import { checkPath, childOf, nameOf, parentOf } from './path.ts';
import { may, ownerOf, owns, type Permission, type Right } from './permissions.ts';
import type { Session } from './session.ts';
import type { Store } from './store.ts';

/** Who asks, and in which transaction. Paths are absolute. */
export interface Request {
  readonly store: Store;
  readonly session: Session;
  readonly nodes: Nodes;
}

/** The node, where the client has that right to it; ENOENT only to those who may look at what is above it. */
function getNode(request: Request, path: string, right: Right): StoreNode {
  const { store, session, nodes } = request;
  checkPath(path, store.quotas.path);
  const node = nodes.read(path);
  if (node !== undefined && may(session, node.permissions, right)) return node;
  const errno = node === undefined ? 'ENOENT' : 'EACCES';
  throw new XenError(mayAbove(request, path, right) ? errno : 'EACCES', `xenstore: ${path}`);
}

/** Has the client that right to the nearest node above that there is? */
function mayAbove({ session, nodes }: Request, path: string, right: Right): boolean {
  for (let above = parentOf(path); ; above = parentOf(above)) {
    const node = nodes.read(above);
    if (node !== undefined) return may(session, node.permissions, right);
  }
}

const findNode = (request: Request, path: string, right: Right): StoreNode | undefined => {
  try {
    return getNode(request, path, right);
  } catch (error) {
    if (error instanceof XenError && error.errno === 'ENOENT') return undefined;
    throw error;
  }
};

export const readNode = (request: Request, path: string): StoreNode =>
  getNode(request, path, 'read');

export function writeValue(request: Request, path: string, value: Uint8Array): void {
  const old = findNode(request, path, 'write');
  const node =
    old === undefined ? create(request, path, value) : replace(request, path, { ...old, value });
  request.nodes.tell({ path, node, isExact: false, before: undefined });
}

export function makeNode(request: Request, path: string): void {
  if (findNode(request, path, 'write') !== undefined) return;
  const node = create(request, path, new Uint8Array());
  request.nodes.tell({ path, node, isExact: false, before: undefined });
}

type NewNode = Omit<StoreNode, 'generation'>;

function checkSize({ store, session }: Request, path: string, node: NewNode): void {
  if (!session.isPrivileged && sizeOf(node) >= store.quotas.nodeSize)
    throw new XenError('ENOSPC', `xenstore: ${path} would be too large`);
}

/** Where it cannot be done whole, a transaction is spoilt. */
function replace(request: Request, path: string, node: NewNode): StoreNode {
  try {
    checkSize(request, path, node);
    return request.nodes.write(path, node, request.session.isPrivileged);
  } catch (error) {
    request.nodes.fail();
    throw error;
  }
}

/** The node and those above it that are missing; of all of them or none. */
function create(request: Request, path: string, value: Uint8Array): StoreNode {
  const { nodes, session } = request;
  const missing: string[] = [];
  let above = path;
  let existing: StoreNode | undefined;
  while (existing === undefined) {
    missing.push(above);
    above = parentOf(above);
    existing = nodes.read(above);
  }
  const [first, ...rest] = existing.permissions;
  const owner = { domid: 0, read: false, write: false, ...first };
  const permissions = [session.isPrivileged ? owner : { ...owner, domid: session.domid }, ...rest];
  const made = missing.map((name, i): readonly [string, NewNode] => {
    const below = missing[i - 1];
    const children = below === undefined ? [] : [nameOf(below)];
    return [name, { value: below === undefined ? value : new Uint8Array(), children, permissions }];
  });
  const parent = {
    ...existing,
    children: [...existing.children, nameOf(missing.at(-1) ?? path)],
  };
  return writeAll(request, made, [above, parent]);
}

function writeAll(
  request: Request,
  made: readonly (readonly [string, NewNode])[],
  [above, parent]: readonly [string, NewNode],
): StoreNode {
  const { store, session, nodes } = request;
  const done: string[] = [];
  let first: StoreNode | undefined;
  try {
    const owned = session.isPrivileged ? 0 : (store.domains.find(session.domid)?.nodes ?? 0);
    const outside = nodes === store ? 0 : 1; // what a transaction makes counts when it ends
    for (const [i, [path, node]] of made.entries()) {
      if (!session.isPrivileged && owned + i * (1 - outside) >= store.quotas.nodes)
        throw new XenError('ENOSPC', `xenstore: domain ${session.domid} has too many nodes`);
      checkSize(request, path, node);
      const written = nodes.write(path, node, session.isPrivileged);
      first ??= written;
      done.push(path);
    }
    checkSize(request, above, parent);
    nodes.write(above, parent, session.isPrivileged);
  } catch (error) {
    for (const path of done) nodes.delete(path);
    nodes.fail();
    throw error;
  }
  for (const [, { permissions }] of made) nodes.count(ownerOf(permissions), 1);
  if (first === undefined) throw new XenError('EIO', 'xenstore: nothing was made');
  return first;
}

/** It is fine where there is none, if the one above it is there. */
export function removeNode(request: Request, path: string): void {
  if (findNode(request, path, 'write') === undefined) {
    if (request.nodes.read(parentOf(path)) === undefined)
      throw new XenError('ENOENT', `xenstore: nothing above ${path}`);
    return;
  }
  if (path === '/') throw new XenError('EINVAL', 'xenstore: the root stays');
  removeTree(request.nodes, path);
}

/** With all below it, the lowest first; who may is asked elsewhere. */
export function removeTree(nodes: Nodes, path: string): void {
  const above = parentOf(path);
  const remove = (place: string): void => {
    const node = nodes.read(place);
    if (node === undefined) return;
    for (const name of node.children) remove(childOf(place, name));
    nodes.delete(place);
    nodes.tell({ path: place, node, isExact: place !== path, before: undefined });
    nodes.count(ownerOf(node.permissions), -1);
  };
  const parent = nodes.read(above);
  remove(path);
  if (parent === undefined) return;
  const children = parent.children.filter((name) => name !== nameOf(path));
  nodes.write(above, { ...parent, children }, true);
}

export function setPermissions(
  request: Request,
  path: string,
  permissions: readonly Permission[],
): void {
  const { store, session } = request;
  if (!session.isPrivileged && permissions.length > store.quotas.permissions)
    throw new XenError('ENOSPC', `xenstore: ${path} would have too many permissions`);
  const known = permissions.map((permission) =>
    store.domains.find(permission.domid) === undefined
      ? { ...permission, isIgnored: true as const }
      : permission,
  );
  if (known[0]?.isIgnored === true)
    throw new XenError('ENOENT', `xenstore: there is no domain ${known[0].domid}`);
  if (path.startsWith('@')) setSpecial(request, path, known);
  else setNodePermissions(request, path, known);
}

function setNodePermissions(
  request: Request,
  path: string,
  permissions: readonly Permission[],
): void {
  const { session, nodes } = request;
  const node = getNode(request, path, 'write');
  const owner = ownerOf(node.permissions);
  if (!owns(session, owner)) throw notOwned(request, path);
  if (!session.isPrivileged && ownerOf(permissions) !== owner)
    throw new XenError('EPERM', `xenstore: only a privileged domain gives ${path} away`);
  const written = replace(request, path, { ...node, permissions });
  nodes.count(owner, -1);
  nodes.count(ownerOf(permissions), 1);
  nodes.tell({ path, node: written, isExact: false, before: node.permissions });
}

const notOwned = ({ session }: Request, path: string): XenError =>
  new XenError('EACCES', `xenstore: domain ${session.domid} does not own ${path}`);

function setSpecial(request: Request, path: string, permissions: readonly Permission[]): void {
  const { store, session } = request;
  if (!owns(session, ownerOf(store.special(path)))) throw notOwned(request, path);
  store.setSpecial(path, permissions);
}
