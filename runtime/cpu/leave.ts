/** Why a vCPU came back: what its domain has to do before it runs on. */

export type Leave =
  | {
      readonly reason: 'poll';
      /** Polls are left: what was done in their stead, instruction by instruction, took longer than polls tell. */
      readonly early?: boolean;
    }
  /** The code at rip is not translated yet: `await vcpu.translate()`, then go on. */
  | { readonly reason: 'translate' }
  | { readonly reason: 'hostCall'; readonly address: bigint }
  /** A host call has been answered meanwhile; the vCPU cannot go on behind it at once. */
  | { readonly reason: 'answered' }
  | { readonly reason: 'hypercall'; readonly operand: number }
  | { readonly reason: 'halt' }
  | {
      readonly reason: 'exception';
      readonly vector: number;
      readonly errorCode: number | undefined;
      /** CR2 of a page fault. */
      readonly address: bigint | undefined;
      /** More than the vector says: the instruction that has no semantics. */
      readonly detail: string | undefined;
      /** #DB of TF or a debug register; INT 1 is another thing. */
      readonly isDebug?: boolean;
    };

/** Answers a leave while frames of the guest stand; whether the guest may run on at once. */
export type Answer = (leave: Leave) => boolean;
