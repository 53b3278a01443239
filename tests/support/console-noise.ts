/**
 * What GRUB's console shows of time, and nothing else of it: two runs of one session, or of one image here and on real Xen,
 * differ in this alone.
 */

const csi = '\x1b\\[';
const place = `${csi}\\d+;\\d+H`;

/** `      [ big  64.00MiB  12%  5.33MiB/s ]` at the right, and the cursor back: shown when a file takes longer than 0.8 s. */
const progress = new RegExp(`${place} *\\[ [^\x1b\\]]* \\d+% [^\x1b\\]]*B/s \\]${place}`, 'g');

/** The menu counts down, a line a second, and draws none for a second that it was late for. */
const countdown = new RegExp(
  `(?:${place})? *The highlighted entry will be executed automatically in \\d+s\\.\\s*`,
  'g',
);

/** The beginning of either, or of any sequence: it says nothing until it has come whole. */
const begun = new RegExp(
  `${csi}[\\d;?]*$|\x1b$|${place} *\\[ [^\x1b\\]]*\\]?(?:\x1b\\[?[\\d;]*)?$`,
);

/** The console's text without what depends on time. */
export const steady = (text: string): string =>
  text.replace(begun, '').replace(progress, '').replace(countdown, '');
