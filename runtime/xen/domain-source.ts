/** What a PV domain begins with: an image, laid out as Xen's builder does, or what was saved of another domain. */
import type { ElfImage } from '../elf/image.ts';
import type { Width } from '../memory/layout.ts';
import { RSI, RSP } from '../x86/registers.ts';
import { type BuildOptions, type BuiltDomain, buildDomain } from './builder/build-domain.ts';
import type { DomainImage } from './builder/domain-image.ts';
import type { FrameTable } from './frames.ts';
import type { Mmu } from './mmu/mmu.ts';
import type { PvCpu } from './pv-cpu.ts';
import { RestoredMemory, type SavedImage } from './save/restore-domain.ts';

/** Memory that is filled: machine frames of what Xen and its tools need to know. */
export interface LaidDomain {
  readonly pages: number;
  /** The topmost page table. */
  readonly root: number;
  readonly sharedInfo: number;
  readonly xenstore: number;
  readonly console: number;
  /** Page tables and the vCPU as they are to be when it runs first. */
  begin(mmu: Mmu, pv: PvCpu): void;
}

export interface DomainSource {
  readonly width: Width;
  /** For reports, and for what of its memory never changes; of a saved domain nobody has one. */
  readonly image: ElfImage | undefined;
  lay(frames: FrameTable): LaidDomain;
}

export const fromImage = (image: DomainImage, options: BuildOptions): DomainSource => ({
  width: image.width,
  image: image.image,
  lay: (frames) => laidImage(buildDomain(image, frames, options)),
});

export function laidImage(built: BuiltDomain): LaidDomain {
  const { root, sharedInfo, xenstore, console, plan } = built;
  return {
    ...{ root, sharedInfo, xenstore, console, pages: plan.pages },
    begin: (mmu, { cpu }) => {
      mmu.begin(root);
      cpu.setRegister(RSP, built.stackPointer);
      cpu.setRegister(RSI, built.startInfo);
      cpu.rip = built.entry;
    },
  };
}

export const fromSaved = (
  saved: SavedImage,
  { id, ports }: Pick<BuildOptions, 'id' | 'ports'>,
): DomainSource => ({
  width: saved.width,
  image: undefined,
  lay: (frames) => {
    const memory = new RestoredMemory(saved, frames, id);
    const { startInfo, sharedInfo, xenstore, console } = memory.writeStartInfo(ports);
    return {
      ...{ sharedInfo, xenstore, console, pages: saved.pages, root: memory.root },
      begin: (mmu, pv) => memory.restoreVcpu(mmu, pv, startInfo),
    };
  },
});
