/**
 * Grants as a domain's kernel uses them where that kernel is in here: xen/include/public/grant_table.h without hypercalls and
 * without a table in the guest's own memory. Failures are XenErrors.
 */
import type { GrantedAccess } from './granted-memory.ts';

/** A page of another domain's, held until it is let go. */
export interface ForeignPage {
  /** Machine frame number, and where that lies in the machine's memory. */
  readonly frame: number;
  readonly host: number;
  unmap(): void;
}

export interface DomainGrants {
  /** References that the domain may use for itself: from `first` to the one before `end`. */
  readonly first: number;
  readonly end: number;
  /** Lets a domain use a frame of this one. */
  grant(reference: number, to: number, frame: number, access: GrantedAccess): void;
  /** Lets a domain give us a frame. */
  acceptTransfer(reference: number, from: number): void;
  /** The frame that was given, once it was. */
  transferred(reference: number): number | undefined;
  /** Whether somebody uses it now. */
  isInUse(reference: number): boolean;
  /** Takes a grant back; false, and nothing has changed, where it is in use. */
  revoke(reference: number): boolean;
  /** What another domain has granted to this one. */
  map(domid: number, reference: number, access: GrantedAccess): ForeignPage;
}
