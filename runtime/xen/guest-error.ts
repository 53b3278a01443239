/** What a guest does that no answer would help: Xen crashes the domain for it. */

export class GuestError extends Error {
  override readonly name = 'GuestError';
}
