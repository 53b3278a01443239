/**
 * Page tables that lead to others of their own level ("linear" ones), counted: above 0, the entries that a table has of this
 * kind; below 0, how many other tables' lead to it. Never both, so that the walk through them has one step.
 */
export class LinearTables {
  readonly #counts = new Map<number, number>();

  mayLead(table: number): boolean {
    return this.#of(table) >= 0;
  }

  mayBeLedTo(table: number): boolean {
    return this.#of(table) <= 0;
  }

  count(table: number, by: 1 | -1): void {
    const count = this.#of(table) + by;
    if (count === 0) this.#counts.delete(table);
    else this.#counts.set(table, count);
  }

  #of(table: number): number {
    return this.#counts.get(table) ?? 0;
  }
}
