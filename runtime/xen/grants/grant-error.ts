/** Why a use of a grant did not come about: one of GNTST's, which the guest finds in the operation's status. */
import { GNTST } from '../../abi/grant-table.ts';

export class GrantError extends Error {
  override readonly name = 'GrantError';
  readonly status: number;

  constructor(status: keyof typeof GNTST, message: string) {
    super(message);
    this.status = GNTST[status];
  }
}
