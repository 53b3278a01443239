/** The file that a qcow2 image is in: bytes at any place, written at once, and safe when they are flushed. */

export interface ImageFile {
  /** In reports. */
  readonly name: string;
  readonly size: number;
  /** Fills the buffers, one behind the other; what is beyond the end is zeros. */
  read(position: number, buffers: readonly Uint8Array[]): void;
  /** Beyond the end the file grows. */
  write(position: number, buffers: readonly Uint8Array[]): void;
  /** What was written before it was called outlives a crash of the host. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Undoes deflate (RFC 1951) without a header; throws where that does not give `bytes` bytes at the most. */
export type Inflate = (packed: Uint8Array, bytes: number) => Uint8Array;
