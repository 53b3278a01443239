/** A guest's frames as the host maps them, where it is privileged: each is held while it is mapped, as by a grant. */
import type { ForeignMemory } from '../domain/foreign-memory.ts';
import type { GrantedAccess, GrantMapping } from '../domain/granted-memory.ts';
import { XenError } from '../errors.ts';
import type { FrameTable } from './frames.ts';
import { holdFrame, releaseFrame } from './grants/held-frame.ts';

export class HostFrames implements ForeignMemory {
  readonly #domid: number;
  readonly #frames: FrameTable;

  constructor(domid: number, frames: FrameTable) {
    this.#domid = domid;
    this.#frames = frames;
  }

  map(frame: number, access: GrantedAccess): GrantMapping {
    const host =
      this.#frames.ownerOf(frame) === this.#domid ? this.#frames.hostOf(frame) : undefined;
    const forWriting = access === 'write';
    if (host === undefined || !holdFrame(this.#frames, frame, forWriting))
      throw new XenError(
        'EINVAL',
        `frame 0x${frame.toString(16)} is not d${this.#domid}'s to share`,
      );
    return { host, unmap: () => releaseFrame(this.#frames, frame, forWriting) };
  }
}
