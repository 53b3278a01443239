/** Machine frame numbers as a domain's kernel uses them where that kernel is in here: MFNs of what it grants and maps. */

export interface DomainFrames {
  /** The frame around a host offset. */
  frameOf(host: number): number;
  /** Where a frame lies; undefined where the machine has none of that number. */
  hostOf(frame: number): number | undefined;
  /** The domain that a frame belongs to. */
  ownerOf(frame: number): number;
}
