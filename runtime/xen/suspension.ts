/**
 * A domain that shuts down to be suspended (SHUTDOWN_suspend of sched.h): where somebody waits for that, it stands still until
 * he lets it go on or ends it; else it ends, as nobody would wake it.
 */
import { UserError } from '../errors.ts';

export class Suspension {
  #reached: (() => void) | undefined;
  #gone: ((error: UserError) => void) | undefined;
  #isHeld = false;

  /** Resolves when the guest has suspended; one at a time. */
  expect(): Promise<void> {
    if (this.#reached !== undefined || this.#isHeld)
      throw new UserError('the domain is being suspended already');
    return new Promise((resolve, reject) => {
      [this.#reached, this.#gone] = [resolve, reject];
    });
  }

  /** The guest has suspended: whether it is to stand still. */
  holds(): boolean {
    if (this.#reached !== undefined) {
      this.#isHeld = true;
      this.#reached();
      this.#forget();
    }
    return this.#isHeld;
  }

  release(): void {
    this.#isHeld = false;
  }

  /** The domain has ended; nobody need wait. */
  ended(name: string): void {
    this.#gone?.(new UserError(`${name}: it has ended, and has not suspended`));
    this.#forget();
    this.#isHeld = false;
  }

  #forget(): void {
    [this.#reached, this.#gone] = [undefined, undefined];
  }
}
