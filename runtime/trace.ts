/** Structured trace events: what happens inside of a machine, for whoever asked to hear it. Nothing else prints. */

export type TraceEvent =
  /** A Mini-OS function was called: `minios_write(1, 0x1000120, 5) = 5`. */
  { readonly kind: 'hostCall'; readonly text: string };

export type Trace = (event: TraceEvent) => void;
