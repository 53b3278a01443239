/** What a back-end has taken up of a front-end's, its pages and its ports: all of it, or nothing. */
import type { EventPort, EventPorts } from '../domain/event-port.ts';
import type { GrantedAccess, GrantMapping } from '../domain/granted-memory.ts';

/** Memory by grants or by frames. */
interface Pages {
  map(number: number, access: GrantedAccess): GrantMapping;
}

export class Held {
  readonly #releases: (() => void)[] = [];

  /** A page's host offset, mapped until `release`. */
  page(pages: Pages, number: number, access: GrantedAccess = 'write'): number {
    return this.keep(pages.map(number, access), (page) => page.unmap()).host;
  }

  port(ports: EventPorts, number: number): EventPort {
    return this.keep(ports.bind(number), (port) => port.close());
  }

  keep<Thing>(thing: Thing, release: (thing: Thing) => void): Thing {
    this.#releases.push(() => release(thing));
    return thing;
  }

  /** What came last goes first. Nothing the second time. */
  release(): void {
    for (const release of this.#releases.splice(0).reverse()) release();
  }
}

/** Lets go of what `take` has taken up if it fails. */
export function allOrNothing<Taken>(take: (held: Held) => Taken): Taken {
  const held = new Held();
  try {
    return take(held);
  } catch (error) {
    held.release();
    throw error;
  }
}
