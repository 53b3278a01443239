/** Structured trace events: what happens inside of a machine, for whoever asked to hear it. Nothing else prints. */

/** What `--trace` names; each event is one line, written like a call: `d1 event_channel_op.send {port:3} = 0`. */
export const traceCategories = [
  'hypercall',
  'xenstore',
  'event',
  'grant',
  'blk',
  'net',
  'fs',
] as const;

export type TraceCategory = (typeof traceCategories)[number];

export type TraceEvent =
  /** A Mini-OS function was called: `minios_write(1, 0x1000120, 5) = 5`. */
  | { readonly kind: 'hostCall'; readonly text: string }
  /** A guest and the machine met. */
  | {
      readonly kind: TraceCategory;
      readonly text: string;
      /** A hypercall about events or grants is heard by whoever asked for either. */
      readonly also?: TraceCategory;
    };

export type Trace = (event: TraceEvent) => void;
