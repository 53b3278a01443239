/** Memory that a guest has granted: all of a guest that a back-end ever sees. */

export type GrantedAccess = 'read' | 'write';

/** One granted page, mapped; its host offset is of the machine's memory. */
export interface GrantMapping {
  readonly host: number;
  unmap(): void;
}

export interface GrantedMemory {
  /** XenError(EINVAL, EACCES …) where the guest has not granted that reference so. */
  map(reference: number, access: GrantedAccess): GrantMapping;
}
