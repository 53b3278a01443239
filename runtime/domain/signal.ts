/** Says that something in the world of a domain changed; whoever waits looks again. */

export class Signal {
  #waiting: (() => void)[] = [];
  #raised = false;

  raise(): void {
    this.#raised = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves at once where it was raised since the last wait began. */
  wait(): Promise<void> {
    if (this.#raised) {
      this.#raised = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        this.#raised = false;
        resolve();
      });
    });
  }
}
