/** The first bytes of a qcow2 image, made by hand. */

/** Version 3 with clusters of 512 bytes: the header, a level-1 table in cluster 2, a refcount table in cluster 1. */
export function qcow2Bytes(size: number, clusters = 8): Uint8Array {
  const bytes = new Uint8Array(clusters * 512);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x5146_49fb);
  view.setUint32(4, 3);
  view.setUint32(20, 9);
  view.setBigUint64(24, BigInt(size));
  view.setUint32(36, Math.ceil(size / 2 ** 15));
  view.setBigUint64(40, 1024n);
  view.setBigUint64(48, 512n);
  view.setUint32(56, 1);
  view.setUint32(96, 4);
  view.setUint32(100, 104);
  return bytes;
}
