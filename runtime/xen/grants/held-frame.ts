/** A frame that a grant holds: it stays its owner's, and, where it may be written, a page of data. */
import { type FrameTable, frameTypes } from '../frames.ts';

/** Whether it could be held: a page table cannot be, for writing. */
export function holdFrame(frames: FrameTable, frame: number, forWriting: boolean): boolean {
  if (forWriting) {
    if (frames.typeOf(frame) !== frameTypes.writable && frames.typeCountOf(frame) > 0) return false;
    frames.setType(frame, frameTypes.writable);
    frames.addTypeCount(frame, 1);
  }
  frames.addReference(frame, 1);
  return true;
}

export function releaseFrame(frames: FrameTable, frame: number, forWriting: boolean): void {
  if (forWriting) frames.addTypeCount(frame, -1);
  frames.dropReference(frame);
}
