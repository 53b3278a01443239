/** Executable memory, as the translator reads it: what never changes is read once, the rest each time. */

export interface FixedCode {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

export interface ChangingCode {
  readonly address: bigint;
  /** In bytes. */
  readonly length: number;
  /** What it holds now; the guest can write to it. Fewer bytes where the rest is not mapped. */
  readonly now: (address: bigint, length: number) => Uint8Array;
}

export type CodeRegion = FixedCode | ChangingCode;

export const isChanging = (region: CodeRegion): region is ChangingCode => 'now' in region;

export function regionAt<Region extends CodeRegion>(
  regions: readonly Region[],
  at: bigint,
): Region | undefined {
  return regions.find(
    (region) => at >= region.address && at < region.address + BigInt(lengthOf(region)),
  );
}

/** The region around an address, where the guest can write to it. */
export function changingAt(regions: readonly CodeRegion[], at: bigint): ChangingCode | undefined {
  const region = regionAt(regions, at);
  return region !== undefined && isChanging(region) ? region : undefined;
}

/** Whether something that can be executed lies at an address now. */
export function isCodeAt(regions: readonly CodeRegion[], at: bigint): boolean {
  const region = regionAt(regions, at);
  return region !== undefined && (!isChanging(region) || region.now(at, 1).length > 0);
}

const lengthOf = (region: CodeRegion): number =>
  isChanging(region) ? region.length : region.bytes.length;
